"""The pocket CLIP with random weights: transformers' own classes in a small size, and a tokenizer of whole words."""

from __future__ import annotations

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, PreTrainedTokenizerFast

from .pictures import COLOURS, GROUPINGS, PLURALS, SIZE
from .shapes import TEXTURES

TEMPLATES = ("a photo of a {}", "a picture of a {}", "an image of the {}", "this is a {}", "{}")
"""How training captions are worded."""

LENGTH = 16
"""Of a text, in words and marks."""

SPECIAL = ("[pad]", "[unknown]", "[begin]", "[end]")
PAD, UNKNOWN, BEGIN, END = range(len(SPECIAL))


def vocabulary() -> list[str]:
    """Every word of every caption, the marks first."""
    texts = [*TEMPLATES, *GROUPINGS, *COLOURS, *TEXTURES, *PLURALS, *PLURALS.values()]
    words = {word for text in texts for word in text.replace("{}", "").split()}
    return [*SPECIAL, *sorted(words)]


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Words as tokens; a word that no caption has is unknown."""
    words = {word: index for index, word in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=SPECIAL[UNKNOWN]))
    tokenizer.normalizer = normalizers.Lowercase()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.post_processor = processors.TemplateProcessing(  # pyright: ignore[reportAttributeAccessIssue]
        single="[begin] $A [end]", special_tokens=[("[begin]", BEGIN), ("[end]", END)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=SPECIAL[PAD],
        unk_token=SPECIAL[UNKNOWN],
        bos_token=SPECIAL[BEGIN],
        eos_token=SPECIAL[END],
        model_max_length=LENGTH,
    )


def build_processor() -> CLIPImageProcessor:
    """CLIP's own preprocessing, for small pictures."""
    return CLIPImageProcessor(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE})


def build_pocket() -> CLIPModel:
    """The model with random weights."""
    text = {
        "vocab_size": len(vocabulary()),
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": LENGTH,
        "pad_token_id": PAD,
        "bos_token_id": BEGIN,
        "eos_token_id": END,
    }
    vision = {
        "hidden_size": 128,
        "intermediate_size": 512,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "image_size": SIZE,
        "patch_size": 8,
    }
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=96))
