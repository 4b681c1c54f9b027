"""What the plots of the scripts are made of: SVG as text, with nothing but the standard library.

Functions give a piece of SVG; document() makes a file of the pieces. Lengths are in pixels, y grows downwards.
"""
import math
import xml.sax.saxutils

# Okabe and Ito's colours, without yellow, which is too faint on white: told apart by colour-blind readers too.
COLOURS = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9"
SHAPES = "circle", "square", "triangle", "diamond", "down"
GREY = "#888888"
# Ends and middle of viridis, for values in an order: light is low, and the lightness alone gives the order.
SEQUENCE = (253, 231, 37), (94, 201, 98), (33, 145, 140), (59, 82, 139), (68, 1, 84)


def shade(share):
    """The colour of a share in [0, 1], and the colour of a text on it."""
    at = min(max(share, 0.0), 1.0) * (len(SEQUENCE) - 1)
    i = min(int(at), len(SEQUENCE) - 2)
    rgb = [round(a + (b - a) * (at - i)) for a, b in zip(SEQUENCE[i], SEQUENCE[i + 1])]
    return "#%02x%02x%02x" % tuple(rgb), "#000000" if share < 0.45 else "#ffffff"


def escape(text):
    return xml.sax.saxutils.escape(str(text), {'"': "&quot;"})


def element(tag, content=None, **attributes):
    """attributes: underscores are read as hyphens, one at the end is dropped (class_)."""
    text = "".join(' %s="%s"' % (key.rstrip("_").replace("_", "-"),
                                 "%.5g" % value if isinstance(value, float) else escape(value))
                   for key, value in attributes.items() if value is not None)
    return "<%s%s/>" % (tag, text) if content is None else "<%s%s>%s</%s>" % (tag, text, content, tag)


def text(x, y, words, anchor=None, bold=False, turned=False, **more):
    """turned: read from below to above."""
    return element("text", escape(words), x=float(x), y=float(y), text_anchor=anchor,
                   font_weight="bold" if bold else None,
                   transform="rotate(-90 %.5g %.5g)" % (x, y) if turned else None, **more)


def line(points, stroke, width=1.0, **more):
    return element("polyline", points=" ".join("%.5g,%.5g" % p for p in points), fill="none", stroke=stroke,
                   stroke_width=float(width), **more)


def rectangle(x, y, width, height, fill, **more):
    return element("rect", x=float(x), y=float(y), width=float(width), height=float(height), fill=fill, **more)


def marker(number, x, y, r=4.0, title=None, **more):
    """The mark of the number-th series; 35 differ. The title appears where the mouse rests on it."""
    shape, colour = SHAPES[number % len(SHAPES)], COLOURS[number % len(COLOURS)]
    content = None if title is None else element("title", escape(title))
    more = {"fill": colour, "stroke": "white", "stroke_width": 0.7, **more}
    if shape == "circle":
        return element("circle", content, cx=float(x), cy=float(y), r=float(r), **more)
    corners = {"square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
               "triangle": [(0, -1.15), (1.1, 0.8), (-1.1, 0.8)],
               "diamond": [(0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)],
               "down": [(0, 1.15), (1.1, -0.8), (-1.1, -0.8)]}[shape]
    points = " ".join("%.5g,%.5g" % (x + r * a, y + r * b) for a, b in corners)
    return element("polygon", content, points=points, **more)


def series(number, places):
    """The line of the number-th series, dashed from the eighth on, whose colours come again."""
    dash = (None, "6 3", "2 3")[number // len(COLOURS) % 3]
    return line(places, COLOURS[number % len(COLOURS)], 1.3, stroke_dasharray=dash)


def colour(number):
    return COLOURS[number % len(COLOURS)]


def document(width, height, pieces):
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" '
            'font-family="DejaVu Sans, Verdana, sans-serif" font-size="11">\n<rect width="100%%" height="100%%" '
            'fill="white"/>\n%s\n</svg>\n' % (width, height, width, height, "\n".join(pieces)))


def ticks(low, high, most=6):
    """Round numbers in [low, high], about `most` of them or fewer; none where most is 0."""
    if most == 0:
        return []
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(step * factor for factor in (1, 2, 5, 10, 20) if (high - low) / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low, high):
    """Powers of ten in [low, high], with 2 and 5 of them where they are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in (1,), (1, 3), (1, 2, 5):
        found = [f * 10.0 ** p for p in powers for f in factors if low <= f * 10.0 ** p <= high]
        if len(found) >= 3:
            break
    return found


def short(value):
    """1200000 as 1.2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return "%.3g%s" % (value / size, letter)
    return "%.4g" % value


class Axes:
    """A frame with scales; x and y are (low, high) of the values that it shows."""

    def __init__(self, left, top, width, height, x, y, log_x=False):
        self.left, self.top, self.width, self.height = left, top, width, height
        self.x, self.y, self.log_x = x, y, log_x

    def place(self, x, y):
        low, high = self.x
        share = math.log(x / low) / math.log(high / low) if self.log_x else (x - low) / (high - low)
        return (self.left + self.width * share,
                self.top + self.height * (1.0 - (y - self.y[0]) / (self.y[1] - self.y[0])))

    def frame(self, title, x_label="", y_label="", most_x=6, most_y=6):
        bottom, pieces = self.top + self.height, []
        marks = ticks(*self.y, most_y)
        digits = max(0, -math.floor(math.log10(marks[1] - marks[0]) + 1e-9)) if len(marks) > 1 else 4
        for value in (log_ticks(*self.x) if self.log_x else ticks(*self.x, most_x)):
            x = self.place(value, self.y[0])[0]
            pieces += [line([(x, self.top), (x, bottom)], "#e4e4e4"),
                       text(x, bottom + 14, short(value), "middle")]
        for value in marks:
            y = self.place(self.x[0], value)[1]
            pieces += [line([(self.left, y), (self.left + self.width, y)], "#e4e4e4"),
                       text(self.left - 5, y + 4, "%.*f" % (digits, value) if value < 1000 else short(value), "end")]
        pieces += [rectangle(self.left, self.top, self.width, self.height, "none", stroke=GREY),
                   text(self.left, self.top - 8, title, bold=True)]
        if x_label:
            pieces.append(text(self.left + self.width / 2, bottom + 31, x_label, "middle"))
        if y_label:
            pieces.append(text(self.left - 46, self.top + self.height / 2, y_label, "middle", turned=True))
        return pieces

    def clip(self, name, pieces):
        """The pieces, cut at the frame."""
        shape = element("clipPath", rectangle(self.left, self.top, self.width, self.height, "none"), id=name)
        return [shape, element("g", "\n".join(pieces), clip_path="url(#%s)" % name)]
