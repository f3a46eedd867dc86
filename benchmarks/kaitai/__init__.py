"""Kaitai Struct's generated reader; README.md says where it comes from."""
