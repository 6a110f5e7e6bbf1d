"""Makers of short strings of the kinds that documents hold: names, prices, dates, codes, addresses and so on.

Each maker takes a random generator and a source of words, and returns one string. They are the recogniser's diet of
digits, capitals and punctuation, of which running prose has too little.
"""

from __future__ import annotations

import string
from collections.abc import Callable

import numpy as np

from ppocr_lite.synth.draws import chance, integer, pick, uniform
from ppocr_lite.synth.wordlists import (
    BEFORE,
    CITIES,
    COMPANY,
    COURTESY,
    CURRENCIES,
    DOMAINS,
    FIELDS,
    FIRST,
    ITEMS,
    LAST,
    MONTHS,
    PUNCTUATED,
    SHORT,
    STREETS,
    UNITS,
)

Words = Callable[[], str]
Maker = Callable[[np.random.Generator, Words], str]

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def digits(rng: np.random.Generator, count: int) -> str:
    """Return *count* random digits."""
    return "".join(string.digits[int(each)] for each in rng.random(count) * 10)


def number(rng: np.random.Generator, words: Words) -> str:
    """Plain, grouped or decimal number, mostly short."""
    whole = digits(rng, integer(rng, 1, 4))
    form = rng.random()
    if form < 0.35:
        return digits(rng, integer(rng, 1, 12 if chance(rng, 0.3) else 4))
    if form < 0.5:
        return f"{int(uniform(rng, 1e3, 1e7)):,}"
    return f"{whole}.{digits(rng, integer(rng, 1, 4))}"


def price(rng: np.random.Generator, words: Words) -> str:
    """Amount of money with two decimals, with or without a currency, sign or tax letter."""
    value = 10 ** uniform(rng, -1, 4.2)
    text = f"{value:,.2f}" if chance(rng, 0.6) else f"{value:.2f}"
    if chance(rng, 0.1):
        text = f"{int(value) // 100 * 100},{digits(rng, 2)}"
    form = rng.random()
    if form < 0.5:
        return text
    if form < 0.85:
        return pick(rng, CURRENCIES) + text
    return text + pick(rng, (" SR", " Z", "-", " €", " USD", " S", "*", " ZRL", " T", "/ea", " (6%)", " RM"))


def date(rng: np.random.Generator, words: Words) -> str:
    """Date in one of the usual layouts, sometimes with a time."""
    year, month, day = integer(rng, 1960, 2035), integer(rng, 1, 12), integer(rng, 1, 28)
    name = MONTHS[month - 1]
    short = name[:3].upper() if chance(rng, 0.4) else name[:3]
    sep = pick(rng, "/-./")
    text = pick(
        rng,
        (
            f"{day:02d}{sep}{month:02d}{sep}{year}",
            f"{day:02d}{sep}{month:02d}{sep}{year % 100:02d}",
            f"{year}{sep}{month:02d}{sep}{day:02d}",
            f"{month}/{day}/{year}",
            f"{day} {name} {year}",
            f"{name} {day}, {year}",
            f"{short} {day} {year}",
            f"{day:02d}-{short}-{year}",
            f"{pick(rng, DAYS)[:3]}, {day} {short} {year}",
            f"{pick(rng, DAYS)}, {day} {name}",
        ),
    )
    if chance(rng, 0.3):
        text += " " * (1 + chance(rng, 0.3)) + time(rng, words)
    return text


def time(rng: np.random.Generator, words: Words) -> str:
    """Time of day."""
    hour, minute, second = integer(rng, 0, 23), integer(rng, 0, 59), integer(rng, 0, 59)
    half = f"{hour % 12 or 12}:{minute:02d}"
    tail = pick(rng, ("AM", "PM", " AM", " PM", " am", "pm", " a.m."))
    return pick(
        rng,
        (
            f"{hour:02d}:{minute:02d}:{second:02d}",
            f"{hour:02d}:{minute:02d}",
            half + tail,
            f"{hour % 12 or 12:02d}:{minute:02d}:{second:02d}{tail}",
            f"{hour % 12 or 12} {tail.strip()} - {integer(rng, 1, 12)} PM",
        ),
    )


def phone(rng: np.random.Generator, words: Words) -> str:
    """Telephone number."""
    text = pick(
        rng,
        (
            f"0{digits(rng, 1)}-{digits(rng, 8)}",
            f"0{digits(rng, 2)}-{digits(rng, 3)} {digits(rng, 4)}",
            f"+{digits(rng, 2)} {digits(rng, 2)} {digits(rng, 4)} {digits(rng, 4)}",
            f"({digits(rng, 3)}) {digits(rng, 3)}-{digits(rng, 4)}",
            f"{digits(rng, 3)}-{digits(rng, 3)}-{digits(rng, 4)}",
            f"+{digits(rng, 2)}-{digits(rng, 9)}",
            f"1-800-{digits(rng, 3)}-{digits(rng, 3)}",
        ),
    )
    return pick(rng, ("", "", "", "Tel: ", "TEL ", "Tel:", "FAX:", "Fax : ", "T: ", "H/P: ", "Phone: ")) + text


def code(rng: np.random.Generator, words: Words) -> str:
    """Article, invoice, registration or licence code of capitals, digits and separators."""
    letters = string.ascii_uppercase
    form = rng.random()
    if form < 0.25:
        return digits(rng, integer(rng, 6, 14))
    if form < 0.4:
        return f"{digits(rng, 6)}-{pick(rng, letters)}"
    parts = []
    for _ in range(integer(rng, 1, 4)):
        alphabet = pick(rng, (letters, string.digits, string.digits, letters + string.digits))
        parts.append("".join(pick(rng, alphabet) for _ in range(integer(rng, 1, 6))))
    text = pick(rng, ("-", "", "/", " ", "-", ".", "#", "_", ":")).join(parts)
    return f"({text})" if chance(rng, 0.08) else text


def name(rng: np.random.Generator, words: Words) -> str:
    """Name of a person."""
    first, last = pick(rng, FIRST), pick(rng, LAST)
    title = pick(rng, ("Mr. ", "Ms. ", "Dr. ", "Mrs "))
    return pick(
        rng, (f"{first} {last}", f"{first[0]}. {last}", f"{last}, {first}", first, f"{title}{last}", f"{last} {first}")
    )


def company(rng: np.random.Generator, words: Words) -> str:
    """Name of a business."""
    head = pick(rng, (pick(rng, LAST), words().title(), f"{words().title()} {words().title()}", pick(rng, CITIES)))
    return f"{head} {pick(rng, COMPANY)}"


def address(rng: np.random.Generator, words: Words) -> str:
    """A line of a postal address."""
    home = pick(
        rng,
        (digits(rng, integer(rng, 1, 4)), f"{digits(rng, 2)}{pick(rng, 'ABCG')}", f"{digits(rng, 2)}-{digits(rng, 1)}"),
    )
    city = pick(rng, CITIES)
    place = pick(rng, (words().title(), pick(rng, LAST), city))
    return pick(
        rng,
        (
            f"{home} {place} {pick(rng, STREETS)}",
            f"{home}, {pick(rng, BEFORE)} {place} {digits(rng, 1)}/{digits(rng, 2)},",
            f"NO {home}, {pick(rng, BEFORE).upper()} {place.upper()},",
            f"{digits(rng, 5)} {city}, {pick(rng, CITIES)}.",
            f"{city}, {pick(rng, string.ascii_uppercase)}{pick(rng, string.ascii_uppercase)} {digits(rng, 5)}",
            f"{pick(rng, BEFORE)} {place},",
            f"P.O. Box {digits(rng, 4)}, {city}",
        ),
    )


def item(rng: np.random.Generator, words: Words) -> str:
    """A till-receipt row: article, with or without quantity and price."""
    article = " ".join(pick(rng, ITEMS) if chance(rng, 0.7) else words() for _ in range(integer(rng, 1, 4)))
    quantity = integer(rng, 1, 12)
    amount = f"{10 ** uniform(rng, -0.3, 2.5):.2f}"
    text = pick(
        rng,
        (
            article,
            article,
            f"{quantity} X {article} {amount}",
            f"{quantity} {article}",
            f"{article} {amount}",
            f"{quantity} x {amount}",
            f"{article} {digits(rng, 2)}{pick(rng, ('G', 'ML', 'KG', 'L', 'PCS', 'CM', 's'))}",
            f"{digits(rng, 4)} {article}",
            f"{quantity}.00 PCS @ {amount}",
            f"-{quantity} {article}",
            f"{article} ({pick(rng, ('L', 'S', 'M', 'HOT', 'ICE', 'C', 'B'))})",
            f"*{article}",
        ),
    )
    return text.upper() if chance(rng, 0.75) else text.title()


def labelled(rng: np.random.Generator, words: Words) -> str:
    """A field name, its value, or both."""
    key = pick(rng, FIELDS)
    if chance(rng, 0.35):
        return pick(rng, (key.upper(), key, key + ":", key.upper() + " :", key + " (RM)"))
    value = pick(rng, (number, price, date, code, name, time))(rng, words)
    glue = pick(rng, (": ", ":", " : ", " ", "  ", " = ", " #", ". "))
    return pick(rng, (key + glue + value, key.upper() + glue + value.upper(), f": {value}"))


def courtesy(rng: np.random.Generator, words: Words) -> str:
    """A set phrase of receipts and invoices."""
    text = pick(rng, COURTESY)
    text = text.upper() if chance(rng, 0.5) else text
    return pick(rng, (text, text, text + "!", f"*** {text} ***", f"** {text} **", f"{text}.", f"~ {text} ~"))


def web(rng: np.random.Generator, words: Words) -> str:
    """URL, e-mail address, file name or user name."""
    one, two = words().lower(), words().lower()
    domain = f"{one}.{pick(rng, DOMAINS)}"
    forms = (
        f"www.{domain}",
        f"https://{domain}/{two}",
        f"http://www.{domain}",
        f"{two}@{domain}",
        f"{two}.{pick(rng, LAST).lower()}@{domain}",
        f"{one}_{two}.{pick(rng, ('py', 'txt', 'pdf', 'html', 'jpg', 'csv'))}",
        f"@{one}{digits(rng, 2)}",
        f"/{one}/{two}/{digits(rng, 2)}",
        f"{domain}?id={digits(rng, 4)}&q={two}",
    )
    return pick(rng, forms).replace("'", "")


def measure(rng: np.random.Generator, words: Words) -> str:
    """Number with a unit, ratio, percentage, dimension or expression."""
    one, two = number(rng, words), number(rng, words)
    forms = (
        f"{one}{pick(rng, UNITS)}",
        f"{one} {pick(rng, UNITS)}",
        f"{integer(rng, 0, 100)}%",
        f"{integer(rng, 0, 99)}.{digits(rng, 1)}%",
        f"{digits(rng, 2)}x{digits(rng, 2)}",
        f"{one} + {two}",
        f"{one}/{two}",
        f"{digits(rng, 1)}-{digits(rng, 2)}",
        f"#{digits(rng, 3)}",
        f"{one} = {two}",
        f"{digits(rng, 1)} x {one}",
        f"({one})",
        f"{digits(rng, 1)}.{digits(rng, 1)}.{digits(rng, 1)}",
        f"<{one}>",
        f"{one} > {two}",
        f"~{one}",
    )
    return pick(rng, forms)


def arithmetic(rng: np.random.Generator) -> str:
    """Sum with the signs that schoolbooks set, with or without its result."""

    def operand() -> str:
        whole = digits(rng, integer(rng, 1, 3)).lstrip("0") or "0"
        return f"{whole}.{digits(rng, integer(rng, 1, 2))}" if chance(rng, 0.5) else whole

    text = operand() + "".join(pick(rng, "+-×÷×") + operand() for _ in range(integer(rng, 1, 2)))
    return text + pick(rng, ("=", "=", f"={operand()}", ""))


def punctuated(rng: np.random.Generator, words: Words) -> str:
    """Words with brackets, quotes, operators and the rarer ASCII signs."""
    form = pick(rng, PUNCTUATED).replace("¦", "|")  # the list itself is cut at bars
    return form.format(*(words() if chance(rng, 0.75) else digits(rng, 2) for _ in range(form.count("{}"))))


def signs(rng: np.random.Generator, words: Words) -> str:
    """Money, temperatures, tolerances, fractions, quotations and marks: what is printed and not on a keyboard.

    The dictionary at hand may lack some; the corpus then writes a plain sign, or leaves the character out.
    """
    one, two = number(rng, words), number(rng, words)
    money = f"{10 ** uniform(rng, 0, 4.5):,.2f}"
    word, other = words(), words()
    degrees = integer(rng, -40, 250)
    part = pick(rng, ("", " cup", " lb", " in", " " + word))
    forms = (
        f"{pick(rng, ('£', '€', '¥', '£ ', '€ '))}{money}",
        f"{money} €",
        f"{money.replace(',', ' ').replace('.', ',')} €",
        f"{pick(rng, ('−', '–', '-'))}{one}",
        f"{pick(rng, ('−', '–', '-'))}{pick(rng, ('£', '€', '$', ''))}{money}",
        f"{degrees}°C".replace("-", pick(rng, "-−")),
        f"{degrees} °{pick(rng, 'CF')}",
        f"{integer(rng, 0, 180)}°",
        f"{integer(rng, 0, 89)}° {integer(rng, 0, 59)}' {pick(rng, 'NSEW')}",
        f"±{one}",
        f"{one} ± {two}",
        f"{one} × {two}",
        f"{integer(rng, 2, 9)}× {word}",
        f"{one} ÷ {two} = {number(rng, words)}",
        f"{one} {pick(rng, ('µm', 'µg', 'µs', 'm²', 'm³', 'cm²', 'km²', '¢'))}",
        f"{pick(rng, ('', str(integer(rng, 1, 12))))}{pick(rng, '½¼¾')}{part}",
        f"§ {integer(rng, 1, 400)}{pick(rng, ('', ' (1)', '.2', ' Abs. 3'))}",
        f"§§ {integer(rng, 1, 99)}–{integer(rng, 100, 199)}",
        f"© {integer(rng, 1980, 2035)} {word.title()}",
        f"{word.title()}{pick(rng, '®™')}",
        f"{integer(rng, 1, 99)}–{integer(rng, 100, 999)}",
        f"{integer(rng, 1900, 2030)}–{integer(rng, 0, 99):02d}",
        f"{word} – {other}",
        f"{word} — {other}",
        f"{word}—{other}",
        f"“{word} {other}”",
        f"“{word.capitalize()},”",
        f"‘{word}’",
        f"{word}’{pick(rng, ('s', 't', 're', 'll', 've', 'd'))} {other}",
        f"{pick(rng, ('I', 'you', 'we', 'it', 'don', 'can', 'They'))}’{pick(rng, ('m', 't', 's', 're', 'll', 've'))}",
        f"{word}…",
        f"• {word} {other}",
        f"{pick(rng, '•·')} {word.capitalize()}",
        f"«{word} {other}»",
        f"« {word} »",
        f"¿{word.capitalize()} {other}?",
        f"¡{word.capitalize()}!",
    )
    return pick(rng, forms)


def lone(rng: np.random.Generator, words: Words) -> str:
    """One to three characters that stand alone: table cells, axis labels, boxes of forms, puzzles, sizes."""
    form = rng.random()
    if form < 0.4:
        return digits(rng, 1)
    if form < 0.5:
        return pick(rng, string.ascii_uppercase)
    if form < 0.56:
        return pick(rng, string.ascii_lowercase)
    if form < 0.64:
        return pick(rng, ("-", "–", "—", "+", "x", "X", "×", "*", "/", "?", "=", "%", "#", "&", "$", "•", "|"))
    if form < 0.72:
        return f"{pick(rng, '-−+')}{digits(rng, integer(rng, 1, 2))}"
    if form < 0.8:
        return f"{digits(rng, 1)}.{digits(rng, 1)}"
    return pick(rng, SHORT)


MAKERS: tuple[tuple[Maker, float], ...] = (
    (number, 5), (price, 10), (date, 6), (time, 2), (phone, 4), (code, 9), (name, 5), (company, 5), (address, 7),
    (item, 15), (labelled, 16), (courtesy, 4), (web, 4), (measure, 4), (punctuated, 6),
    (signs, 18), (lone, 14),
)  # fmt: skip
