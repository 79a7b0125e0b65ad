"""Data of Python's, made into files that the command line reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ._errors import InvalidDataError

# Rows of a Parquet file in memory at a time.
_ROWS = 256
# Where the labels are, in a table or a mapping.
_LABELS = ("label", "labels")


class Data(NamedTuple):
    """Where the data is, and options that go with it."""

    path: str
    # The name that a RUN has for data that was made here; None where it is the caller's own file or folder.
    name: str | None = None
    classes_file: str | None = None


def place(data: Any, folder: Path) -> Data:
    """The data as a file or folder: the caller's own, or one that is made in `folder`."""
    if isinstance(data, (str, os.PathLike)):
        path = os.fspath(data)
        if not isinstance(path, str):
            raise TypeError("data must be a path as a string, not as bytes")
        return _of_parquet(path, folder) if path.endswith(".parquet") else Data(path)
    file = folder / "data.npz"
    if _is_array(data):
        np.savez(file, images=np.asarray(data))
    elif isinstance(data, tuple) and len(data) == 2 and _is_array(data[0]):
        np.savez(file, images=np.asarray(data[0]), labels=np.asarray(data[1]))
    else:
        _of_pairs(data.iter_rows() if hasattr(data, "iter_rows") else data, folder, file)
    return Data(str(file), file.name)


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") or hasattr(value, "__dlpack__")


def _of_pairs(pairs: Iterable[Any], folder: Path, file: Path) -> None:
    """Writes the inputs one by one: they need not fit into memory together."""
    labels: list[Any] = []
    raw, first = folder / "images", None
    with raw.open("wb") as out:
        for i, pair in enumerate(map(_pair, pairs)):
            image = np.ascontiguousarray(pair[0])
            first = image if first is None else first
            if (image.shape, image.dtype) != (first.shape, first.dtype):
                kinds = (f"{each.dtype}{list(each.shape)}" for each in (image, first))
                raise InvalidDataError("example {} is {}, and the first one {}".format(i, *kinds), "data")
            out.write(image.data)
            labels.append(pair[1])
    if first is None:
        raise InvalidDataError("there is no example", "data")
    without = labels.count(None)
    if 0 < without < len(labels):
        raise InvalidDataError(f"{without} of {len(labels)} examples have no label: all must have one, or none", "data")
    images = np.memmap(raw, first.dtype, "r", shape=(len(labels), *first.shape))
    if without:
        np.savez(file, images=images)
    else:
        np.savez(file, images=images, labels=np.asarray(labels))
    del images
    raw.unlink()


def _pair(example: Any) -> tuple[Any, Any]:
    if isinstance(example, Mapping):
        label = next((name for name in _LABELS if name in example), None)
        others = [name for name in example if name != label]
        if len(others) == 1:
            return example[others[0]], None if label is None else example[label]
    elif isinstance(example, (tuple, list)) and len(example) == 2:
        return example[0], example[1]
    raise InvalidDataError(f"an example is an (input, label), with None for no label, not {example!r:.60}", "data")


def _of_parquet(path: str, folder: Path) -> Data:
    """A folder of the images as they are: it is the command line that decodes them."""
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise ImportError("Parquet needs pyarrow (pip install smoothtopk[parquet])") from None
    table = parquet.ParquetFile(path)
    names = list(table.schema_arrow.names)
    label = next((name for name in _LABELS if name in names), None)
    others = [name for name in names if name != label]
    image = next((name for name in ("image", "img", *others[:1]) if name in names), None)
    if image is None:
        raise InvalidDataError(f"{path} has no column of images: its columns are {names}", "data")
    images = folder / "images"
    images.mkdir()
    columns = [image] if label is None else [image, label]
    classes: set[int] = set()
    number = 0
    for batch in table.iter_batches(_ROWS, columns=columns):
        for row in _rows(batch):
            content, of_class = row[image], None if label is None else row[label]
            content = content.get("bytes") if isinstance(content, Mapping) else content
            if not isinstance(content, bytes):
                raise InvalidDataError(f"row {number} of {path} has no bytes of an image in its column {image}", "data")
            below = images
            if label is not None:
                if not isinstance(of_class, int) or of_class < 0:
                    raise InvalidDataError(f"row {number} of {path} has the label {of_class!r}", "data")
                below = images / f"{of_class:06}"
                if of_class not in classes:
                    classes.add(of_class)
                    below.mkdir()
            # The name's ending is not looked at: images are known by their content.
            (below / f"{number:09}.png").write_bytes(content)
            number += 1
    if label is None:
        return Data(str(images), Path(path).name)
    listed = folder / "classes.json"
    listed.write_text(json.dumps({f"{of_class:06}": of_class for of_class in sorted(classes)}))
    return Data(str(images), Path(path).name, str(listed))


def _rows(batch: Any) -> Iterator[dict[str, Any]]:
    yield from batch.to_pylist()
