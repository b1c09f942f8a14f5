"""Parquet with units, directions, meanings and the manifest in its metadata."""

from __future__ import annotations

import io
import json

from optimizer.export.pareto_table import ParetoTable
from optimizer.export.writing import Format


def _render(table: ParetoTable) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = pa.Table.from_pandas(table.to_frame(), preserve_index=False)
    fields = []
    for column, field in zip(table.columns, plain.schema, strict=True):
        said = {"unit": column.unit, "direction": column.direction, "meaning": column.meaning}
        fields.append(field.with_metadata({key: value for key, value in said.items() if value}))
    about = {"title": table.title, "proof": table.proof, "manifest": json.dumps(dict(table.manifest))}
    schema = pa.schema(fields, metadata={**(plain.schema.metadata or {}), **about})
    stream = io.BytesIO()
    pq.write_table(plain.cast(schema), stream)
    return stream.getvalue()


FORMAT = Format("parquet", ".parquet", False, ("pyarrow", "pandas"), _render)
