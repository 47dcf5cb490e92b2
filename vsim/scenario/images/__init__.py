"""Images read from disk: their layers and sizes."""

from vsim.scenario.images.described import SCHEMA, DescribedImage, DescribedLayer, read_description, to_data
from vsim.scenario.images.stored import read_stored

__all__ = ["SCHEMA", "DescribedImage", "DescribedLayer", "read_description", "read_stored", "to_data"]
