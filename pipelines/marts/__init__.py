"""What do we publish, which question does each table answer, and how is it read and replaced safely?"""

from pipelines.marts.publication import MartReader, Publication, current, latest_as_of, publish
from pipelines.marts.schemas import FACTORS, MARTS, Mart, conform

__all__ = ["FACTORS", "MARTS", "Mart", "MartReader", "Publication", "conform", "current", "latest_as_of", "publish"]
