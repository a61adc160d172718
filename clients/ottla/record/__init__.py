"""Record batches, format version 2: reading in place, building, CRC-32C, compression.

- `batch`: headers, records, patches in place
- `build`: making a batch
- `spans`: records as they lie in a batch, without an object for each
- `walk`: checking the records of a batch without making objects of them
- `compression`: the four codecs, with bounded output
- `control`: keys and values of control records (transaction markers)

Everything here is pure. Bytes that are not what the format says raise `DecodeError` and nothing
else.
"""
