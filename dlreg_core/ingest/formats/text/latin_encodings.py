"""Western or Central Europe: which of two encodings that share most letters a text is in, by languages' letters."""

from __future__ import annotations

import re

_WESTERN = (
    *("áéíóúüñºª", "áâãàçéêíóôõúüºª", "àâæçéèêëîïôœùûüÿ", "äöüßéèà", "àèéìíîòóùú", "åäöéüà", "æøåéäöü", "áðéíóúýþæö"),
    *("ëïéèöüáóíçêû", "àçèéíïòóúü", "áéíóú"),
)
"""Spanish, Portuguese, French, German, Italian, Swedish, Danish, Icelandic, Dutch, Catalan, Irish."""
_CENTRAL = (*("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž", "äöüß", "ëç"),)
"""Polish, Czech, Slovak, Hungarian, Romanian, Croatian and Slovene, German, Albanian."""
# Signs that stand before letters, or within words, are letters of another encoding: "£ódŸ" is Łódź.
IMPLAUSIBLE = re.compile(r"[£¥¦¹³¼¾¶][a-zß-öø-ÿ]|[a-zß-öø-ÿ](¿[a-z]|[¹¼¾¶])")
# Polish has no ń before a vowel, and Spanish no ñ before anything else; õ is half of õe, and ã of ão or ãe.
_NOT_WESTERN = re.compile(r"ñ(?![aeiouáéíóúü])|õ(?!e)|ã(?=[^\W\doe])", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH = 2
"""One odd word may be a name or a slip."""
_MARKS = frozenset("˛ˇ˘¨˙˝¸´")


def latin_encoding(sample: bytes) -> str | None:
    """Return cp1252 or cp1250 where the letters beyond ASCII are those of one language in the one and not in the other.

    Parameters
    ----------
    sample : bytes
        Text of an encoding of one byte.

    Returns
    -------
    str or None
        The Western one where both fit and nothing tells them apart; None where neither does.
    """
    western, central = (_decoded(sample, encoding) for encoding in ("cp1252", "cp1250"))
    fits_western = western is not None and _of_one(western, _WESTERN) and not IMPLAUSIBLE.search(western)
    fits_central = central is not None and _of_one(central, _CENTRAL) and not _MARKS & set(central)
    if fits_western and western is not None and not (fits_central and _odd_words(western) >= _ENOUGH):
        return "cp1252"
    return "cp1250" if fits_central else None


def _odd_words(text: str) -> int:
    """Count the different words that no Western language has."""
    words = {word for word in _WORD.findall(text) if not word.isascii()}
    return sum(bool(_NOT_WESTERN.search(word)) for word in words)


def _decoded(sample: bytes, encoding: str) -> str | None:
    try:
        return sample.decode(encoding)
    except UnicodeDecodeError:
        return None


def _of_one(text: str, languages: tuple[str, ...]) -> bool:
    letters = {sign for sign in text.lower() if not sign.isascii() and sign.isalpha()}
    return any(letters <= set(language) for language in languages)
