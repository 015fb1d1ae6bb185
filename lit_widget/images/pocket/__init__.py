"""The bundled CLIP: a small model of CLIP's architecture, its procedural pictures, and the script that trained it."""
