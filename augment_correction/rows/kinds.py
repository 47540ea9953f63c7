"""The kinds of rows that are read, each with examples; docs/reference/rows.md is made of them, and a test reads each."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    title: str
    about: str
    readers: str
    examples: tuple[str, ...]


KINDS = (
    Kind(
        "Questions with references",
        "What a model is asked, and what a right answer says. `id`, `group` (what is resampled together, such as the "
        "document), `category`, `context` (put before the question, and no evidence when an answer is graded), `flawed` (a "
        "known wrong answer) and `passage` are optional. Of a chat the first question of the user counts and the first "
        "answer; where the messages say which are trained, the first trained one.",
        "`evaluate`, `train --hard_failures_data`, the monitor, `answers`, `from-failures` and the worker",
        (
            '{"question": "Who opened the museum?", "reference": "Ida Brandt, in 1956", "group": "museum.md"}',
            '{"instruction": "Who opened the museum?", "expected": "Ida Brandt", "category": "history"}',
            '{"messages": [{"role": "user", "content": "Who opened it?"}, {"role": "assistant", "content": "Ida Brandt"}]}',
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
        ),
    ),
    Kind(
        "Failures",
        "A question with a wrong answer and the right one; a critique is what the user says to the wrong answer. Alone the "
        "right one is trained.",
        "`train --self_critique_data`, `import-failures` and the worker",
        (
            '{"instruction": "Who opened it?", "input": "Otto Meier", "output": "Ida Brandt", "critique": "He closed it."}',
            '{"question": "Who opened it?", "wrong_answer": "Otto Meier", "reference": "Ida Brandt"}',
        ),
    ),
    Kind(
        "Preference pairs",
        "As DPO datasets have them; the rejected answer is the mistake and the chosen one its correction.",
        "`train`, `import-failures` and the worker",
        (
            '{"prompt": "Who opened it?", "chosen": "Ida Brandt", "rejected": "Otto Meier"}',
            '{"prompt": [{"role": "user", "content": "Who opened it?"}], "chosen": [{"role": "assistant", "content": "Ida '
            'Brandt"}], "rejected": [{"role": "assistant", "content": "Otto Meier"}]}',
        ),
    ),
    Kind(
        "Segments",
        "Axolotl's own: a text in parts, each with the flag that says whether it is trained.",
        "the worker with `trainer: axolotl`; what they ask is read by `evaluate` and the monitor",
        ('{"segments": [{"label": false, "text": "<|user|>Who opened it?"}, {"label": true, "text": "Ida Brandt"}]}',),
    ),
)
