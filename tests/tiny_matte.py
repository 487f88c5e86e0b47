"""A network that takes what is bright for the thing, and the rest for its background (ONNX)."""

SIDE = 320


def save(file):
    """Write it in the form of U2-Net: a picture's three channels in, how much is thing out."""
    node = _said(1, b"input.1") + _said(2, b"made") + _said(4, b"ReduceMean")
    node += _said(5, _said(1, b"axes") + _number(8, 1) + _number(20, 7))
    node += _said(5, _said(1, b"keepdims") + _number(3, 1) + _number(20, 2))
    graph = _said(1, node) + _said(2, b"bright")
    graph += _said(11, _value(b"input.1", (1, 3, SIDE, SIDE)))
    graph += _said(12, _value(b"made", (1, 1, SIDE, SIDE)))
    file.write_bytes(_number(1, 8) + _said(7, graph) + _said(8, _number(2, 13)))


def _value(name, sides):
    shape = b"".join(_said(1, _number(1, side)) for side in sides)
    return _said(1, name) + _said(2, _said(1, _number(1, 1) + _said(2, shape)))


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _said(field, content):
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    more = []
    while value >= 0x80:
        more.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*more, value])
