"""IDs in URLs and request bodies, as clients write them."""

from __future__ import annotations

import pytest

from interviewer.core.ids import MAX_ID, id_of


@pytest.mark.parametrize(("text", "id"), [("1", 1), ("007", 7), ("1" * 9, 111_111_111), (str(MAX_ID - 1), MAX_ID - 1)])
def test_digits_are_an_id(text: str, id: int) -> None:
    assert id_of(text) == id


@pytest.mark.parametrize("text", ["0", "000", str(MAX_ID), "9" * 20, "1" * 21, "0" * 20 + "1", "9" * 5_000])
def test_number_that_no_row_has_is_zero(text: str) -> None:
    assert id_of(text) == 0


@pytest.mark.parametrize("text", ["", " 1", "1 ", "-1", "+1", "1.0", "1_000", "0x1", "one", "٣", "²", "１"])
def test_other_text_is_no_id(text: str) -> None:
    assert id_of(text) is None
