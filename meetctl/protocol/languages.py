"""The languages that a meeting may be held in: ISO 639-1 codes and their names in English. Values only."""

from __future__ import annotations

import re

AUTO = "auto"
"""Whichever is spoken."""

NAMES = {
    code: name
    for code, _, name in (
        entry.partition(" ")
        for entry in """
af Afrikaans, am Amharic, ar Arabic, as Assamese, az Azerbaijani, ba Bashkir, be Belarusian, bg Bulgarian, bn Bengali,
bo Tibetan, br Breton, bs Bosnian, ca Catalan, cs Czech, cy Welsh, da Danish, de German, el Greek, en English,
eo Esperanto, es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fo Faroese, fr French, fy Frisian, ga Irish,
gd Gaelic, gl Galician, gu Gujarati, ha Hausa, he Hebrew, hi Hindi, hr Croatian, ht Haitian, hu Hungarian, hy Armenian,
id Indonesian, ig Igbo, is Icelandic, it Italian, ja Japanese, jv Javanese, ka Georgian, kk Kazakh, km Khmer,
kn Kannada, ko Korean, ku Kurdish, ky Kyrgyz, la Latin, lb Luxembourgish, ln Lingala, lo Lao, lt Lithuanian,
lv Latvian, mg Malagasy, mi Maori, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay, mt Maltese,
my Burmese, nb Norwegian, ne Nepali, nl Dutch, nn Norwegian, no Norwegian, ny Chichewa, oc Occitan, or Odia,
pa Punjabi, pl Polish, ps Pashto, pt Portuguese, rm Romansh, ro Romanian, ru Russian, rw Kinyarwanda, sa Sanskrit,
sd Sindhi, se Sami, si Sinhala, sk Slovak, sl Slovenian, sm Samoan, sn Shona, so Somali, sq Albanian, sr Serbian,
st Sotho, su Sundanese, sv Swedish, sw Swahili, ta Tamil, te Telugu, tg Tajik, th Thai, ti Tigrinya, tk Turkmen,
tl Tagalog, tn Tswana, tr Turkish, tt Tatar, ug Uyghur, uk Ukrainian, ur Urdu, uz Uzbek, vi Vietnamese, wo Wolof,
xh Xhosa, yi Yiddish, yo Yoruba, yue Cantonese, zh Chinese, zu Zulu
""".replace("\n", " ").split(",")
        for entry in (entry.strip(),)
    )
}

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*")


def language_code(written: str) -> str | None:
    """Returns the language as providers want it: `de`, `pt-BR`, `auto`; None where there is no such language.

    A name in English is as good as a code.
    """
    text = written.strip()
    if text.casefold() == AUTO:
        return AUTO
    for code, name in NAMES.items():
        if text.casefold() == name.casefold():
            return code
    match = _TAG.fullmatch(text)
    if match is None or match[1].lower() not in NAMES:
        return None
    _, _, region = text.replace("_", "-").partition("-")
    return f"{match[1].lower()}-{region.upper() if len(region) == 2 else region}" if region else match[1].lower()


def language_name(code: str) -> str:
    """Returns what the language of the code is called in English."""
    return NAMES[code.partition("-")[0]]
