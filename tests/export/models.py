"""Small tokenizers of the three families that matter, trained in a moment, as the folders that models ship in."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + "
    "m['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)
# Qwen's and Llama 3's, which differ in the digits. Transformers 5 builds a Qwen tokenizer with its own, whatever
# its tokenizer.json says.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
CORPUS = [
    "The queen lays 1,500 eggs a day in summer. Are you sure about that? No, I was wrong: it is 2,000.\n\n" * 3,
    "user assistant system Human AI **Finished.** USER: ASSISTANT: ### Instruction:\n### Response:\n\n" * 3,
    "def answer(question: str) -> str:\n    return f'{question!r} is {len(question)}'\n\n\n",
    (Path(__file__).parent / "corpus.txt").read_text("utf-8"),  # frozen: another text would make other tokens
]


@dataclass(frozen=True)
class Family:
    name: str
    template: str
    special: tuple[str, ...]
    bos: str | None
    eos: str
    pad: str | None = None
    adds_bos: bool = False
    nfc: bool = False


QWEN = Family("qwen", CHATML, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), None, "<|im_end|>", "<|endoftext|>")
QWEN_NFC = replace(QWEN, name="qwen_nfc", nfc=True)
"""As Qwen's own has it: a letter and its accent become one before they are tokens."""
LLAMA = Family(
    "llama",
    LLAMA3,
    (
        *("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|finetune_right_pad_id|>",
    ),
    "<|begin_of_text|>",
    "<|end_of_text|>",
    adds_bos=True,
)
MISTRAL = Family("mistral", INST, ("<unk>", "<s>", "</s>"), "<s>", "</s>", adds_bos=True)
FAMILIES = (QWEN, QWEN_NFC, LLAMA, MISTRAL)


def save(family: Family, folder: Path, vocabulary: int = 900) -> Path:
    """The tokenizer's folder: tokenizer.json, tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _sentencepiece(family, vocabulary) if family is MISTRAL else _byte_level(family, vocabulary)
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": family.bos,
        "eos_token": family.eos,
        "pad_token": family.pad,
        "unk_token": "<unk>" if family is MISTRAL else None,
        "chat_template": family.template,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 100_000,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return folder


def _byte_level(family: Family, vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    if family.nfc:
        tokenizer.normalizer = normalizers.NFC()
    digits = r"\p{N}{1,3}" if family is LLAMA else r"\p{N}"
    split = pre_tokenizers.Split(Regex(SPLIT.replace("DIGITS", digits)), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in family.special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    # As GPT-2's and Llama 3's files have it: offsets that leave a token's space out.
    steps: list[Any] = [processors.ByteLevel(trim_offsets=True)]
    if family.adds_bos:
        steps.append(_begin(family, tokenizer))
    tokenizer.post_processor = processors.Sequence(steps)
    return tokenizer


def _sentencepiece(family: Family, vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    # Trained word by word: merges of SentencePiece do not cross a space either.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=True)
    tokens = [AddedToken(token, special=True, normalized=False) for token in family.special]
    pieces = [AddedToken(f"<0x{byte:02X}>", normalized=False) for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=tokens + pieces, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    data = json.loads(tokenizer.to_str())
    # The byte pieces are ordinary entries of the vocabulary and no added tokens.
    data["pre_tokenizer"]["split"] = False
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] in family.special]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = _begin(family, tokenizer)
    return tokenizer


def _begin(family: Family, tokenizer: Tokenizer) -> Any:
    assert family.bos is not None
    return processors.TemplateProcessing(
        single=f"{family.bos} $A", special_tokens=[(family.bos, tokenizer.token_to_id(family.bos))]
    )
