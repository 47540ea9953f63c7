"""An adapter folded into its base model: a folder that any server loads."""

from __future__ import annotations

from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.export.exporting import replaced_folder
from augment_correction.llm.hf_weights import ADAPTER, NO_CODE, TENSORS_ONLY, model_folder, tensor_files
from augment_correction.training.parent import refuse_other_base


def merge(adapter: Path, output: Path, base: str | None = None) -> Path:
    """Write the merged model, its tokenizer and chat template to `output`; returns the base model's folder.

    Raises: InputError where `output` holds something, or the base is not the one that the adapter was trained on; ImportError
    without the extra `train`.
    """
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise InputError(
            f"{output} already exists and is not overwritten", hint="name another folder, or move the existing one"
        )
    if not (adapter / "adapter_config.json").is_file():
        raise InputError(
            f"{adapter} is not a PEFT adapter: it has no adapter_config.json",
            hint="name the folder final/ of a training",
        )
    tensor_files(adapter, ADAPTER)
    # Only here: to import them takes five seconds, which nobody who named a wrong folder should wait.
    import torch
    from peft import PeftConfig, PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    named = base or str(PeftConfig.from_pretrained(str(adapter)).base_model_name_or_path)
    folder = model_folder(named)
    refuse_other_base(adapter, named, "name the base model of the adapter with --model")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", **TENSORS_ONLY)
    with torch.no_grad():
        merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
    trained = (adapter / "tokenizer_config.json").is_file()
    tokenizer = AutoTokenizer.from_pretrained(adapter if trained else folder, **NO_CODE)
    _stop_at(merged, tokenizer.eos_token_id)
    with replaced_folder(output.resolve()) as made:
        merged.save_pretrained(made)
        tokenizer.save_pretrained(made)
    return folder


def _stop_at(model: object, token: int | None) -> None:
    """The end of turn that was trained, beside whatever the base model stopped at."""
    generation = model.generation_config  # type: ignore[attr-defined]
    known = generation.eos_token_id
    known = known if isinstance(known, list) else [] if known is None else [known]
    if token is not None and token not in known:
        generation.eos_token_id = [token, *known]
