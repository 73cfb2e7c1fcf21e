"""What do we publish, which question does each table answer, and how is it read and replaced safely?"""

from pipelines.marts.opening import Marts, open_marts
from pipelines.marts.publication import MartReader, Publication, current, latest_as_of, publish

__all__ = ["MartReader", "Marts", "Publication", "current", "latest_as_of", "open_marts", "publish"]
