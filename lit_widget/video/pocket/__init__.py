"""The bundled default: a small model of SAM 2's architecture, its procedural clips and its training."""
