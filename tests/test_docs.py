"""The documents say what the code does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from augment_correction.config import load_config
from augment_correction.runner import run

ROOT = Path(__file__).parent.parent


def test_the_reference_is_what_the_classes_say() -> None:
    place = ROOT / "docs" / "reference" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", place)
    assert spec and spec.loader
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert {path.name for path in place.parent.glob("*.md")} == {*generate.PAGES}
    for name, page in generate.PAGES.items():
        assert (place.parent / name).read_text() == page(), "run: python docs/reference/generate.py"


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_page_of_the_outputs_names_what_a_run_leaves(tmp_path: Path) -> None:
    page = (ROOT / "outputs" / "README.md").read_text()
    out = tmp_path / "out"
    config = load_config(
        ROOT / "configs" / "smoke.yaml",
        [f"path.output_dir={out}", "gate.share=0.4", "output.formats=[openai]", "meta_datagen.do_meta_datagen=true"],
    )
    run(config)
    assert len(list(out.iterdir())) > 12
    for path in out.iterdir():
        assert path.name in page, f"outputs/README.md does not name {path.name}"


def test_neither_import_nor_help_loads_anything_heavy() -> None:
    heavy = (
        "torch",
        "vllm",
        "ray",
        "fastapi",
        "transformers",
        "pypdf",
        "docx",
        "bpe_openai",
        "tiktoken",
        "openai",
        "httpx2",
        "requests",
        "aiohttp",
        "genai_prices",
    )
    code = (
        "import sys, io, contextlib\n"
        "import augment_correction\n"
        "from augment_correction.cli import main\n"
        "sys.argv = ['augment_correction', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main()\n"
        f"print(','.join(name for name in {heavy!r} if name in sys.modules))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == ""
