from __future__ import annotations

import pandas as pd
import pytest

from dlreg_core.cleaning import form_fields, row_frame, row_values, typical_row
from dlreg_core.errors import NotFoundError
from dlreg_core.evaluation.kept_models import load_cleaner
from dlreg_core.runs import RunFolder
from dlreg_core.specs import ColumnType


def test_the_form_asks_for_what_the_models_see_in_order_of_importance(trained: RunFolder) -> None:
    cleaner = load_cleaner(trained)
    fields = form_fields(cleaner, ["place", "size"])
    assert [field.name for field in fields][:2] == ["place", "size"]
    assert not {"id", "country"} & {field.name for field in fields}


def test_a_typical_row_is_one_that_the_schema_reads(trained: RunFolder) -> None:
    schema = load_cleaner(trained).schema_
    frame = row_frame(schema, typical_row(schema))
    assert list(frame.columns) == list(schema.names)
    assert not schema.coerce(frame)[["size", "place", "built"]].isna().any(axis=None)
    assert schema.warnings(frame) == ()


def test_a_raw_row_goes_through_the_form_unchanged(trained: RunFolder) -> None:
    schema = load_cleaner(trained).schema_
    raw = pd.DataFrame({"id": [3], "size": [None], "place": ["north"], "built": ["2010-02-03"], "country": ["F"]})
    values = row_values(schema, raw)
    assert values["size"] is None
    assert values["built"] == "2010-02-03T00:00:00"
    assert schema.field("built").type is ColumnType.DATETIME
    pd.testing.assert_frame_equal(schema.coerce(row_frame(schema, values)), schema.coerce(raw), check_dtype=False)


def test_a_run_without_models_is_told(trained: RunFolder, tmp_path: object) -> None:
    from tests.pages.opening import failed_run

    with pytest.raises(NotFoundError, match="has no models"):
        load_cleaner(failed_run(tmp_path))  # type: ignore[arg-type]
