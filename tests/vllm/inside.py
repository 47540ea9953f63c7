"""What needs torch, run by the Python of vLLM's environment: the model that is served, and an adapter on it.

inside.py model GGUF FOLDER
inside.py adapter MODEL FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

RANK = 8


def model(gguf: Path, folder: Path) -> None:
    """The GGUF in Transformers' form; `done` says that it is whole."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    made.is_quantized = False  # without these three, `save_pretrained` refuses
    del made.config.quantization_config, made.hf_quantizer
    made.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    (folder / "done").touch()


def adapter(base: Path, folder: Path) -> None:
    """A LoRA in PEFT's form, of random weights so large that every reply becomes another one."""
    import torch
    from safetensors.torch import save_file  # type: ignore[import-not-found, unused-ignore]

    config = json.loads((base / "config.json").read_text())
    size, heads = config["hidden_size"], config["num_attention_heads"]
    out = {"q_proj": size, "v_proj": size // heads * config["num_key_value_heads"]}
    torch.manual_seed(7)
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        for name, width in out.items():
            key = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            weights[f"{key}.lora_A.weight"] = torch.randn(RANK, size) / size**0.5
            weights[f"{key}.lora_B.weight"] = torch.randn(width, RANK) / RANK**0.5
    folder.mkdir(parents=True)
    save_file(weights, folder / "adapter_model.safetensors")
    said: dict[str, object] = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": str(base)}
    said |= {"r": RANK, "lora_alpha": RANK, "target_modules": list(out), "bias": "none", "lora_dropout": 0.0}
    (folder / "adapter_config.json").write_text(json.dumps(said))


if __name__ == "__main__":
    {"model": model, "adapter": adapter}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
