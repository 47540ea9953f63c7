from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.export import Tokenizer, load_tokenizer
from tests.export.models import FAMILIES, save


@pytest.fixture(scope="session")
def tokenizer_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("tokenizers")
    return {family.name: save(family, root / family.name) for family in FAMILIES}


@pytest.fixture(scope="session")
def tokenizers(tokenizer_folders: dict[str, Path]) -> dict[str, Tokenizer]:
    return {name: load_tokenizer(str(folder), Path("/")) for name, folder in tokenizer_folders.items()}
