"""A model without a model: fixed replies made from the request alone, so that tests and demonstrations run the real
program and end in the same bytes every time."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import orjson
from pydantic import Field

from augment_correction.llm.streaming import listener
from augment_correction.records import Completion, Request
from augment_correction.sampling import Declaration
from augment_correction.sandbox import BoundedSandbox, render
from augment_correction.usage import Usage
from augment_correction.yamlfile import read_yaml

# How the shipped prompts, Augmentoolkit's and those for small models set a passage apart.
_PASSAGE = re.compile(
    r"<passage>(.*?)</passage>|\"\"\"(.*?)\"\"\"|^Passage from [^\n]*:\n\n(.*?)\n\nDoes this passage ",
    re.DOTALL | re.MULTILINE,
)
_BOILERPLATE = re.compile(
    r"all rights reserved|table of contents|^[ \t]*+contents\b|permission is hereby granted", re.I | re.M
)


FORM = "write `rules:`, and under it a line for each reply: `- {contains: words of the request, text: the reply}`"


class Rule(Declaration):
    contains: str
    text: str
    finish_reason: str = "stop"


class Script(Declaration):
    fields: dict[str, str] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    delay: float = 0.0
    """Seconds that each reply takes."""


class Scripted:
    """`script` is a YAML file; fields that it does not name are answered as the shipped script does.

    Raises: ConfigError with the file, where that is no script.
    """

    def __init__(self, script: Path | None, count: Callable[[str], int]) -> None:
        shipped = read_yaml(Path(__file__).with_name("scripted.yaml")).validate(Script)
        env = BoundedSandbox(undefined=jinja2.StrictUndefined)
        own = _script(script, env) if script else Script()
        self._fields = {name: env.from_string(text) for name, text in {**shipped.fields, **own.fields}.items()}
        self._rules = own.rules
        self._delay = own.delay
        self._count = count

    async def complete(self, request: Request) -> Completion:
        text, finish_reason = self._text(request)
        if (heard := listener()) is None:
            await asyncio.sleep(self._delay)
        else:
            heard.begin()
            words = re.findall(r"\s*\S+\s*", text)
            for word in words:
                await asyncio.sleep(self._delay / len(words))
                heard.add(word)
        return self._completion(request, text, finish_reason)

    def _text(self, request: Request) -> tuple[str, str]:
        asked = "\n".join(message.content for message in request.messages)
        for rule in self._rules:
            if rule.contains in asked:
                return rule.text, rule.finish_reason
        return self._reply(request), "stop"

    async def close(self) -> None:
        pass

    def _reply(self, request: Request) -> str:
        values = _values(request)
        properties: dict[str, Any] = (request.schema or {}).get("properties", {})
        fields: dict[str, Any] = {}
        for name, kind in properties.items():
            fields[name] = self._list(kind, values) if "maxItems" in kind else self._field(name, kind, values)
        if request.form == "json":
            return orjson.dumps(fields).decode()
        if request.form == "text":
            return "\n".join(map(str, fields.values()))
        if request.form == "verdict":
            return f"Reason: {fields['reason']}\nVerdict: {fields['verdict']}"
        return "\n".join(f"<{name}>{text}</{name}>" for name, text in fields.items())

    def _field(self, name: str, kind: dict[str, Any], values: dict[str, Any]) -> str:
        allowed, known = kind.get("enum"), self._fields.get(name)
        text = render(known, {**values, "allowed": allowed or []}) if known else f"{name}: {values['sentences'][0]}"
        return text if not allowed or text in allowed else str(allowed[0])

    def _list(self, kind: dict[str, Any], values: dict[str, Any]) -> list[dict[str, str]]:
        """As many as are asked for; `number` counts them."""
        numbered = ({**values, "number": number} for number in range(1, kind["maxItems"] + 1))
        return [
            {name: self._field(name, each, one) for name, each in kind["items"]["properties"].items()}
            for one in numbered
        ]

    def _completion(self, request: Request, text: str, finish_reason: str) -> Completion:
        prompt = sum(self._count(message.content) for message in request.messages)
        return Completion(text, None, finish_reason, Usage(prompt, self._count(text)))


def _script(path: Path, env: BoundedSandbox) -> Script:
    """Raises: ConfigError with file, line and the form that is expected."""
    file = read_yaml(path)
    if not isinstance(file.data, dict):
        raise file.error((), "a script of a scripted model is a mapping with 'rules' or 'fields'", FORM)
    script = file.validate(Script)
    for name, text in script.fields.items():
        try:
            env.from_string(text)
        except jinja2.TemplateSyntaxError as failure:
            raise file.error(("fields", name), f"'fields.{name}' is no Jinja2 template: {failure.message}") from None
    return script


def _values(request: Request) -> dict[str, Any]:
    last = "\n".join(message.content for message in request.messages if message.role == "user")
    passages = ["".join(found).strip() for found in _PASSAGE.findall(last)]
    passage = passages[-1] if passages else request.messages[-1].content
    words = passage.split()
    return {
        "passage": passage,
        "sentences": [part.strip() for part in re.split(r"(?<=[.!?。])\s+", passage) if part.strip()] or [passage],
        "subject": " ".join(words[:6]).strip(".,:;#*| "),
        "number": 2 + hashlib.sha256(passage.encode("utf-8", "replace")).digest()[0] % 40,
        "boilerplate": bool(_BOILERPLATE.search(passage)) or len(words) < 8,
    }
