"""The dictionary: 179 fields, and the schema that follows from it."""

import polars as pl
import pyarrow as pa

from pipeline import fields


def test_the_dictionary_holds_179_fields_once_each() -> None:
    names = [field.name for field in fields.FIELDS]
    assert len(names) == 179
    assert len({name.casefold() for name in names}) == 179


def test_numeric_fields_are_those_with_a_minimum() -> None:
    assert fields.BY_NAME["camcabinstatus"].numeric  # an enum of numbers
    assert not fields.BY_NAME["speedsource"].numeric  # an enum of words
    assert fields.BY_NAME["speedsource"].values == ("CAN", "GPS")
    schema = fields.arrow_schema()
    assert schema.field("camcabinstatus").type == pa.float64()
    assert schema.field("speedsource").type == pa.string()
    assert schema.field("heartbeat").type == pa.int64()


def test_codes_for_error_and_not_available_are_known() -> None:
    assert fields.BY_NAME["SeatBelt"].null_codes == (2.0, 3.0)
    assert fields.BY_NAME["WiperSwitch"].null_codes == (14.0, 15.0)
    described = {
        field.name
        for field in fields.FIELDS
        if "not available" in field.description and field.numeric
    }
    assert described == {field.name for field in fields.FIELDS if field.null_codes}


def test_field_ids_are_unique_and_extra_fields_come_last() -> None:
    numbers = [number for number, _, _ in fields.clean_columns({"newfield": "DOUBLE"})]
    assert len(set(numbers)) == len(numbers)
    assert numbers[-1] == 10_000
    assert fields.json_schema({"newfield": "VARCHAR"})["newfield"] == pl.String()


def test_every_band_belongs_to_a_field() -> None:
    assert len(fields.bands()) == 39
    for band in fields.bands():
        assert band.name in fields.BY_NAME
        assert not band.cond_signal or band.cond_signal in fields.BY_NAME
