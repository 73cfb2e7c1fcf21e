"""The models that read tickets: local ones by default, hosted ones where a key is set on purpose."""
