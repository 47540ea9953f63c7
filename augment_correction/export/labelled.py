"""Conversations as token ids and labels, by the package's one mask."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from augment_correction.errors import ConfigError
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.masking import IGNORED, labels, token_mask, touching
from augment_correction.export.segments import Rendering, Zone, render, zones
from augment_correction.export.source import batched
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.records import Conversation


@dataclass(frozen=True, slots=True)
class TokenRow:
    """`ends` is True where the last trained token is of the end of a turn: such a row teaches the model to stop."""

    ids: array[int]
    labels: array[int]
    ends: bool

    @property
    def trained(self) -> int:
        return len(self.labels) - self.labels.count(IGNORED)


def token_rows(
    conversations: Iterable[Conversation], template: ChatTemplate, tokenizer: Tokenizer
) -> Iterator[TokenRow | ConfigError]:
    """One for each, in their order; of whatever length. In place of a row that the template refuses comes its reason."""
    for batch in batched(conversations, 512):
        renderings = [_rendered(each, template) for each in batch]
        encoded = iter(tokenizer.encode([each.text for each in renderings if isinstance(each, Rendering)]))
        for conversation, rendering in zip(batch, renderings, strict=True):
            if isinstance(rendering, ConfigError):
                yield rendering
                continue
            whole, places = next(encoded), zones(conversation, rendering)
            mask = token_mask(places, whole, conversation.train_scaffold)
            ends = any(mask.rfind(1) in _range(touching(zone, whole)) for zone in places if _ends(zone))
            yield TokenRow(array("i", whole.ids), array("i", labels(whole.ids, mask)), ends)


def _rendered(conversation: Conversation, template: ChatTemplate) -> Rendering | ConfigError:
    try:
        return render(conversation, template)
    except ConfigError as failure:
        return failure


def _ends(zone: Zone) -> bool:
    return zone.kind == "end" and zone.label


def _range(part: slice) -> range:
    return range(part.start, part.stop)
