"""LoRA on corrections. torch, transformers, trl and peft are imported by `trainer`, `watching` and `merging` alone, and
these only by the commands that train."""
