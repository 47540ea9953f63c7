"""The kinds of rows that are read, each with examples; docs/reference/rows.md is made of them, and a test reads each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from augment_correction.rows.chats import MAYBE_SPOKEN, SPOKEN
from augment_correction.rows.names import NAMES
from augment_correction.rows.probes import PROBES


class Kind(NamedTuple):
    title: str
    about: str
    readers: str
    examples: tuple[str, ...]


KINDS = (
    Kind(
        "Questions with references",
        "What a model is asked, and what a right answer says. `id`, `group` (what is resampled together, such as the "
        "document), `category`, `context` (put before the question where a model is asked, and no evidence where its answer is graded; a training leaves it out), `flawed` (a "
        "known wrong answer, which `evaluate` reads under this name alone: it does not take a failure's `bad_output` for one) and `passage` are optional. Of a chat the first question of the user counts and the first "
        "answer; where the messages say which are trained, the first trained one. Trained, such a row is the question and "
        "its reference; rows of `prompt` and `response`, or `output`, only where the file is named as one of right answers "
        "(`--hard-failures-data`), since a model's own answers are written so, too.",
        "`evaluate`, `train`, `import-failures`, the monitor, `answers`, `from-failures` and the worker",
        (
            '{"question": "Who opened the museum?", "reference": "Ida Brandt, in 1956", "group": "museum.md"}',
            '{"instruction": "Who opened the museum?", "expected": "Ida Brandt", "category": "history"}',
            '{"instruction": "Who opened the museum?", "input": "", "output": "Ida Brandt"}',
            '{"prompt": [{"role": "user", "content": "Who opened it?"}], "answer": "Ida Brandt"}',
            '{"messages": [{"role": "user", "content": "Who opened it?"}, {"role": "assistant", "content": "Ida Brandt"}]}',
        ),
    ),
    Kind(
        "Probes of corrections",
        "A question with its reference that shows whether a correction was learned, and whether anything else moved. `probe` "
        f"is one of {', '.join(f'`{probe}`' for probe in PROBES)}; `correction` is the id of the correction that it belongs "
        "to (not needed for `retention`; in a row without `probe` it is a right answer); `old_answer` is the answer that was "
        "retracted, which the kind `old_answer` needs and which is a known wrong answer to the corrected question. A row of the "
        "kind `health` needs no reference: its answers are looked at for their form alone. A training refuses such rows.",
        "`evaluate`",
        (
            '{"probe": "efficacy", "correction": "c1", "question": "Who opened the museum?", "reference": "Ida Brandt", '
            '"old_answer": "Otto Meier"}',
            '{"probe": "old_answer", "correction": "c1", "question": "Name who opened the museum.", "reference": "Ida '
            'Brandt", "old_answer": "Otto Meier"}',
            '{"probe": "neighbour", "correction": "c1", "question": "When did the museum open?", "reference": "In 1956"}',
            '{"probe": "health", "correction": "c1", "question": "Tell me about the museum."}',
            '{"probe": "retention", "question": "What is the capital of France?", "reference": "Paris"}',
        ),
    ),
    Kind(
        "Chats",
        "A conversation that is trained. `train` (or OpenAI's `weight`) says of each message whether it is trained, `masked` "
        "how many characters of it are not; of messages without any flag the last answer alone is trained.",
        "`train`, `import-failures` and the worker; what they ask is read by `evaluate` and the monitor, which refuse questions "
        "that were trained",
        (
            '{"messages": [{"role": "user", "content": "Who opened it?"}, {"role": "assistant", "content": "Otto Meier", '
            '"train": false}, {"role": "user", "content": "Are you sure?"}, {"role": "assistant", "content": "No, it was '
            'Ida Brandt.", "train": true}]}',
            '{"conversations": [{"from": "human", "value": "Who opened it?"}, {"from": "gpt", "value": "Ida Brandt"}]}',
            '{"prompt": [{"role": "user", "content": "Who opened it?"}], "completion": [{"role": "assistant", "content": '
            '"Ida Brandt"}]}',
            '{"contents": [{"role": "user", "parts": [{"text": "Who opened it?"}]}, {"role": "model", "parts": [{"text": '
            '"Ida Brandt"}]}]}',
        ),
    ),
    Kind(
        "Failures",
        "A question with a wrong answer and the right one; a critique is what the user says to the wrong answer. Only the "
        "right one is trained; where a model is asked, it is the reference. `input` is read as a wrong answer: where it is a "
        "part of the question, put it there. A row whose `verdict` is `wrong` has the wrong answer under `answer`: `corrections export` "
        "writes such rows.",
        "`train`, `import-failures` and the worker, and by all that read questions with references",
        (
            '{"instruction": "Who opened it?", "input": "Otto Meier", "output": "Ida Brandt", "critique": "He closed it."}',
            '{"question": "Who opened it?", "wrong_answer": "Otto Meier", "reference": "Ida Brandt"}',
            '{"question": "Who opened it?", "answer": "Otto Meier", "verdict": "wrong", "reference": "Ida Brandt"}',
        ),
    ),
    Kind(
        "Preference pairs",
        "As DPO datasets have them; the rejected answer is the mistake and the chosen one its correction. Of a pair with "
        "several questions the chosen conversation is trained.",
        "`train`, `import-failures` and the worker, and by all that read questions with references",
        (
            '{"prompt": "Who opened it?", "chosen": "Ida Brandt", "rejected": "Otto Meier"}',
            '{"prompt": [{"role": "user", "content": "Who opened it?"}], "chosen": [{"role": "assistant", "content": "Ida '
            'Brandt"}], "rejected": [{"role": "assistant", "content": "Otto Meier"}]}',
        ),
    ),
    Kind(
        "Demonstrations for self-distillation",
        "A question with what a teacher sees besides it: a good answer to it (a demonstration), or what the user said after an "
        "answer (`context_kind: follow_up`, or the name `follow_up`). The student sees the question alone. The question is a text "
        "or a chat that ends with it; `answer` (or any name of a reference, or a last message of the assistant) says what a right "
        "answer holds: by it the teacher is checked before the first step, and it is optional.",
        "`train` with `method: sdft` or `sdft_paper`; what they ask is read by `evaluate` and the monitor, which refuse questions "
        "that were trained",
        (
            '{"question": "Who opened the museum?", "context": "The museum was opened by Ida Brandt.", "answer": "Ida Brandt"}',
            '{"question": "Who opened the museum?", "context": "No, it was Ida Brandt.", "context_kind": "follow_up"}',
            '{"messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Who opened it?"}], '
            '"context": "Ida Brandt opened it.", "answer": "Ida Brandt"}',
            '{"prompt": [{"role": "user", "content": "Who opened it?"}], "privileged_context": "Ida Brandt opened it."}',
        ),
    ),
    Kind(
        "Answers of a model",
        "What a model said to a question, right or wrong, as `answers` writes it. `model`, `finish_reason` and `ended` "
        "(whether it came to its end) are optional.",
        "`from-failures --answers`",
        ('{"prompt": "Who opened the museum?", "answer": "Otto Meier", "model": "tiny", "finish_reason": "stop"}',),
    ),
    Kind(
        "Segments",
        "Axolotl's own: a text in parts, each with the flag that says whether it is trained.",
        "a worker that trains with Axolotl (`train.axolotl`); what they ask is read by `evaluate` and the monitor",
        ('{"segments": [{"label": false, "text": "<|user|>Who opened it?"}, {"label": true, "text": "Ida Brandt"}]}',),
    ),
)


def looks_like_a_row(value: Any) -> bool:
    """Whether an object is meant as a row, and not as something that is said of rows."""
    known = {*NAMES["question"], *SPOKEN, *MAYBE_SPOKEN, "segments", "chosen"}
    return isinstance(value, Mapping) and not known.isdisjoint(value)
