"""Synthetic try-on pairs: garments cut from photographs, on drawn people, by a known warp (tools/make_tryon.py)."""
