"""What Milvus keeps of a chunk, and how it finds it: exactly by nearness, and by words with BM25 where it can."""

from typing import Any, Final

from triage.knowledge.search_words import K1, B

LENGTHS: Final = {
    "article_id": 512,
    "title": 2048,
    "url": 4096,
    "text": 8192,
    "hash": 128,
    "embedder": 128,
    "source": 512,
}
"""Bytes; what `triage.knowledge.articles` lets in and how chunks are cut stay below them."""


def schema_and_indexes(dimension: int, *, bm25: bool) -> tuple[Any, Any]:
    """Both searches are exact: IVF_FLAT lost recall at every size tried. Without `bm25` words are kept to be read."""
    from pymilvus import DataType, Function, FunctionType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=512)
    for name, length in LENGTHS.items():
        schema.add_field(name, DataType.VARCHAR, max_length=length)
    schema.add_field("chunk", DataType.INT64)
    analyzer = {"enable_analyzer": True, "analyzer_params": {"tokenizer": "standard", "filter": ["lowercase"]}}
    schema.add_field("findable", DataType.VARCHAR, max_length=16384, **(analyzer if bm25 else {}))
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimension)
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("dense", index_type="FLAT", metric_type="COSINE")
    if bm25:
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            Function(
                name="bm25",
                function_type=FunctionType.BM25,
                input_field_names=["findable"],
                output_field_names=["words"],
            )
        )
        indexes.add_index(
            "words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params={"bm25_k1": K1, "bm25_b": B}
        )
    return schema, indexes
