"""Numbers that the paper published, to set beside those measured here."""

ABLATION: dict[str, float] = {
    "original": 27.43,
    "replace-original": 32.47,
    "lora-no-cl": 21.43,
    "memory-adapter": 18.84,
    "lit-lora": 18.24,
    "three-loras": 17.87,
    "lit-ft": 17.46,
}
"""Mean corrections on VOST, SAM 2.1-L, of pairs with at least ten corrections (design and location of the adapter)."""
