"""What is written at the end of films and not said in meetings: credits of subtitles, and thanks for watching.

Recognisers find them in noise and silence. Pure text, in the languages in which they were met.
"""

from __future__ import annotations

import re

_MOST_WORDS = 16
"""A credit is short."""

_SITES = re.compile(
    r"amara\s*\.\s*org|\bamara\b.*(?:communit|gemein|společen|közöss)|zeoranger|opensubtitles|castingwords|"
    r"soustitreur|dimatorzok|btistudios|authorwave|sous-titrage st['’ ]|\bqtss\b|multi-moto|ai-media|otter\.ai|"
    r"rev\.com|明镜与点点|明鏡與點點|ghiền mì gõ|时局新闻|時局新聞|mbc 뉴스",
    re.IGNORECASE,
)
"""Who makes subtitles; nobody speaks of them by chance in so few words."""

_ENGLISH = re.compile(
    r"(?i:closed |all )?(?i:sub(?:title|titling|titled|titles|s)|captions?|captioning|captioned|transcri(?:pt|pts"
    r"|ption|bed)|"
    r"translat(?:ed|ion)|edited)\s+(?:(?i:(?:(?:was|were) )?(?:provided |created |made |corrected |synced )?by"
    r"|copyright|©|:)\s*"
    r"(?i:the |an? |our )?)?(?:[A-Z@©]|www)\S*(?: \S+){0,9}"
)
_SUBTITLES = (
    r"untertitel\w*|sous-?titr\w*|sub-?t[ií]tul\w*|legendas?(?:do|gem)?|transcrição(?: e legendas)?|sottotitol\w*|"
    r"ondertitel\w*|napisy|tłumaczenie|субтитр\w*|редактор субтитров|корректор|переклад|titulky|"
    r"undertext\w*|undertekst\w*|svensktext\w*|textning|teksting|tekstitys|(?:danske |norske )?tekster|altyaz[ıi]|"
    r"çeviri|feliratok?|subtitr\w*|podnapisi|prijevod|titlovi|υπότιτλοι|תרגום|כתוביות|ترجمة|زیرنویس|"
    r"terjemahan|phụ đề|(?:中文)?字幕\w*|자막"
)
_BY = (
    r"von|der|des|im auftrag|par|réalisée?s?|fait(?:e?s)?|de|du|por|pela|pelo|"
    r"realizad[oa]s|cread[oa]s|hech[oa]s|a cura|creati|e revisione|della|dalla|door|ingediend|van|przez|stworzone|"
    r"сделал\w*|создал\w*|создавал\w*|делал\w*|подготовил\w*|выполнил\w*|vytvořil\w*|přeložil\w*|od|av|af|från|fra|"
    r"készít\w*|m\.\s?k|hizmetleri|提供|制作|製作|志愿者|志願者|组|제공|:|-"
)
_CREDIT = re.compile(rf"(?:{_SUBTITLES})\s*[:：-]?\s*(?:(?:{_BY})(?!\w).*|$)", re.IGNORECASE)
_NAMED = re.compile(rf"(?i:{_SUBTITLES})(?: (?:[^\W\d_]\.)?(?=[^\W\d_])(?![a-zà-öø-ÿа-яёіїєа-я])[\w'’.-]+){{1,6}}")
"""A name behind it: "Legenda Adriana Zanotto"."""
_SAYS = re.compile(
    r" (?:is|are|was|were|will|would|should|can|could|have|has|need|do|does|sind|ist|werden|wird|kann|können|sollten|"
    r"sont|est|son|está|están|estão|é|sono|è|zijn|är|er|są|jest|not|nicht|pas|no|não|non|не)\b",
    re.IGNORECASE,
)
"""It says something about subtitles."""
_COPYRIGHT = re.compile(
    r"(?:(?i:copyright)\s+(?:©|\(c\)|by\b|\d{4}|[A-Z]{2,}\b)|©).*"
    r"|(?i:(?:untertitelung\W+)?(?:zdf|swr|wdr|ndr|ard|br|mdr|funk)\W+(?:für\W+\w+\W+)?(?:19|20)\d\d)"
    r"|(?i:tv gelderland (?:19|20)\d\d|all rights reserved)",
)
_ADDRESS = re.compile(
    r"(?:for more (?:information|videos),? )?(?:please )?(?:visit |go to |see )?(?:https?://|www\.)\S+", re.I
)
_FAREWELLS = (
    r"(?:(?:well|and|so|ok|okay|alright),? )?(?:thanks?|thank you)(?: (?:all|everyone|everybody|guys|you(?: all)?))?"
    r"(?: (?:so|very) much)?(?: (?:all|everyone|everybody|guys))? for (?:watching|viewing|tuning in)"
    r"(?: (?:this|the|my|our|today'?s) (?:\w+ )?(?:videos?|episodes?|channel|show|stream|movie))?"
    r"(?:,? (?:guys|everyone|everybody|and .{0,60}|(?:i'll|we'll )?see you .{0,40}|please .{0,60}"
    r"|don'?t forget .{0,60}|bye.{0,10}))?",
    r"(?:(?:please|and|so|also|remember to|make sure (?:to|you)|be sure to|if you (?:liked|like|enjoyed"
    r"|enjoy) .{0,40}),? )*"
    r"(?:don'?t forget to )?(?:(?:like|comment|share)(?:,| and|, and)? )*(?:hit|smash|click)? ?(?:the |on the )?"
    r"subscribe(?: button)?(?: (?:to|on) (?:my|our|the|this) (?:youtube )?channel)?"
    r"(?: (?:and|for) .{0,60})?",
    r"(?:(?:i'll|i will|we'll|we will|and) )*see you (?:guys |all )?in (?:the|my|our) next (?:video"
    r"|episode)(?: .{0,20})?",
    r"(?:(?:vielen|herzlichen) dank|danke(?: schön)?|danke euch)(?: euch| ihnen)? (?:fürs?|für das"
    r"|für's) (?:zuschauen|zusehen|anschauen)",
    r"(?:bitte )?(?:abonnier\w*|vergesst nicht).{0,40}(?:kanal|abonnieren)",
    r"merci (?:à tous |beaucoup )?d['’]avoir (?:regardé|visionné|suivi)(?: .{0,30})?",
    r"(?:n['’]oublie[zs]? pas .{0,30}|pensez à vous )?abonn\w+(?:[ -]vous)?(?: .{0,30})?",
    r"¡?(?:muchas )?gracias por (?:ver|mirar|su visita|visualizar)(?: .{0,30})?",
    r"¡?(?:no olviden |no olvides |por favor )?(?:suscr[ií]b\w+)(?: .{0,40})?",
    r"(?:muito )?obrigad[oa] por (?:assistir\w*|ver\w*)(?: .{0,30})?"
    r"|(?:e )?(?:não se esqueça de )?(?:se )?inscrev\w+(?:-se)?(?: .{0,40})?",
    r"grazie (?:mille )?(?:a tutti )?per (?:aver guardato|la visione|l['’]ascolto e la visione)(?: .{0,30})?"
    r"|iscriv\w+ al (?:mio |nostro )?canale.{0,30}",
    r"bedankt voor het kijken(?: .{0,30})?|vergeet niet te abonneren.{0,30}",
    r"(?:dziękuj\w+|dzięki) za (?:oglądanie|obejrzenie|uwagę i oglądanie)(?: .{0,30})?"
    r"|zapraszamy na kolejny .{0,20}|subskrybuj\w* .{0,30}",
    r"(?:большое )?спасибо(?: всем)? за (?:просмотр|внимание и просмотр)(?: .{0,30})?|подпис\w+ на (?:мой "
    r"|наш )?канал.{0,40}|продолжение следует",
    r"дяку\w+ за (?:перегляд|увагу та перегляд)(?: .{0,20})?|підпис\w+ на .{0,30}",
    r"(?:beni |bizi )?izlediğiniz için (?:çok )?teşekkür\w*(?: .{0,20})?|abone ol\w*(?: .{0,40})?",
    r"děkuj\w+ za (?:sledování|zhlédnutí)(?: .{0,30})?|ďakujem za (?:sledovanie|pozretie).{0,20}",
    r"tack (?:för att (?:du|ni) (?:tittade|har tittat|tittat|kollade)|för tittandet).{0,20}"
    r"|takk for (?:at du så på|at dere så på|ating med).{0,20}"
    r"|tak fordi (?:du|i) så med.{0,20}|kiitos (?:kun katsoi\w+|katsomisesta).{0,20}",
    r"köszön\w+,? (?:hogy megnézt\w+|a figyelmet és a nézést).{0,20}|vă mulțumi\w+ pentru vizionare.{0,20}"
    r"|să nu uitați să .{0,40}abona.{0,30}",
    r"ευχαριστώ που παρακολουθήσατε.{0,20}|תודה (?:רבה )?(?:על הצפייה|שצפיתם).{0,20}",
    r"شكرا (?:لكم )?(?:على |لل)?(?:المشاهدة|مشاهدة).{0,20}|اشترك\w* (?:في|فى) (?:القناة|قناة).{0,30}",
    r"terima kasih (?:telah|sudah|kerana) (?:menonton|menyaksikan).{0,20}"
    r"|(?:jangan lupa )?(?:like,? )?(?:dan )?subscribe.{0,40}",
    r"cảm ơn (?:các bạn )?đã (?:theo dõi|xem).{0,40}|hãy (?:subscribe|đăng ký).{0,80}",
    r"देखने के लिए धन्यवाद|ขอบคุณ(?:ที่รับชม|ที่ติดตาม).{0,20}",
    r"(?:最後まで)?(?:ご視聴|ご覧いただき|見てくれて|観てくれて)(?:いただき|頂き)?、?(?:本当に)?ありがとう.{0,10}|チャンネル登録.{0,30}|高評価.{0,20}",
    r"(?:非常)?(?:谢谢|感谢|謝謝|感謝|多謝)(?:大家|各位|您|你们|您的|你的)?(?:的)?(?:观看|收看|觀看|收睇|收看本期).{0,20}|请不吝点赞.{0,40}|請不吝點贊.{0,40}|"
    r"(?:记得|請|请|欢迎|歡迎)?(?:点赞|點讚|订阅|訂閱)[^，。]{0,20}(?:频道|頻道|转发|打赏|小鈴鐺)?.{0,20}",
    r"(?:오늘도 |끝까지 )?시청해\s?(?:주셔서|주신) .{0,20}|구독(?:과|,| ).{0,30}|좋아요(?:와|,) 구독.{0,20}",
)
_FAREWELL = re.compile("|".join(f"(?:{one})" for one in _FAREWELLS), re.IGNORECASE)


def is_credit(sentence: str) -> bool:
    """Returns whether a sentence is one that films end with, and nothing else."""
    plain = " ".join(sentence.replace("’", "'").split()).strip(" .!?…。！？,，、~-–—\"'“”«»¡")
    if not plain or len(plain.split()) > _MOST_WORDS:
        return False
    if _SITES.search(plain) and not _SAYS.search(plain):
        return True
    if any(pattern.fullmatch(plain) for pattern in (_COPYRIGHT, _ADDRESS, _FAREWELL)):
        return True
    names = any(pattern.fullmatch(plain) for pattern in (_ENGLISH, _CREDIT, _NAMED))
    return names and not _SAYS.search(plain)
