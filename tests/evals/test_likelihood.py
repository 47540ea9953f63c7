"""Loss and perplexity of given answers, and what of it the passage explains."""

from __future__ import annotations

from math import exp, inf

import pytest

from augment_correction.evals.likelihood import Explained, likelihood, of_means, perplexity
from augment_correction.llm.scoring import AnswerScore


def test_tokens_weigh_the_same_whoever_s_answer_they_are_of() -> None:
    found = likelihood([AnswerScore((1, 2, 3), (-1.0, -1.0, -1.0)), AnswerScore((4,), (-5.0,))])
    assert found and (found.answers, found.tokens, found.nll) == (2, 4, 2.0)
    assert found.perplexity == pytest.approx(exp(2.0))
    assert of_means([(1.0, 3), (5.0, 1)]) == found
    assert likelihood([]) is None


def test_a_perplexity_without_a_number_is_infinite() -> None:
    assert perplexity(800.0) == inf and perplexity(0.0) == 1.0


def test_a_reference_that_its_passage_does_not_make_likely_is_doubted() -> None:
    known, bad = Explained(5.0, 0.2), Explained(5.0, 4.5)
    assert known.excess == pytest.approx(4.8) and bad.excess == pytest.approx(0.5)
    assert not known.contradicted(30) and bad.contradicted(30)
    assert Explained(5.0).excess is None and not Explained(5.0).contradicted(1.5)
