"""Of what recognisers write, only what somebody said is taken."""

from __future__ import annotations

import pytest
from meetctl_agents.hearing.recognised import said_in

PLAN = "Anna, what is the plan?"

CREDITS = """
Subtitles by the Amara.org community|Subs by www.zeoranger.co.uk|Transcription by CastingWords|Transcript Emily Beynon
Captioned by Anna Smith|Copyright WDR 2021|© BF-WATCH TV 2021|www.multi-moto.eu|❤️ par SousTitreur.com
Thanks for watching!|Thank you for watching.|Please subscribe to my channel.|Don't forget to like and subscribe!
Thank you so much for watching, and I'll see you in the next video.|Like, share and subscribe
Untertitel der Amara.org-Community|Untertitelung des ZDF, 2020|Untertitel im Auftrag des ZDF für funk, 2017|SWR 2020
Untertitel von Stephanie Geiges|Vielen Dank fürs Zuschauen!
Sous-titres réalisés par la communauté d'Amara.org|Sous-titrage Société Radio-Canada|Sous-titrage ST' 501
Merci d'avoir regardé cette vidéo !|N'oubliez pas de vous abonner !
Subtítulos realizados por la comunidad de Amara.org|¡Gracias por ver el video!|¡Suscríbete al canal!
Legendas pela comunidade Amara.org|Legenda Adriana Zanotto|Transcrição e Legendas Pedro Negri|Obrigado por assistir.
Sottotitoli creati dalla comunità Amara.org|Sottotitoli e revisione a cura di QTSS|Grazie per aver guardato il video!
Ondertitels ingediend door de Amara.org gemeenschap|Bedankt voor het kijken!|TV GELDERLAND 2021
Napisy stworzone przez społeczność Amara.org|Dziękuję za oglądanie.|Titulky vytvořil JohnyX.
Субтитры сделал DimaTorzok|Редактор субтитров А.Семкин Корректор А.Егорова|Продолжение следует...|Спасибо за просмотр!
Субтитрувальниця Оля Шор|Altyazı M.K.|İzlediğiniz için teşekkür ederim.
Undertexter från Amara.org-gemenskapen|Svensktextning: Jens Persson|Tack för att du tittade!
Danske tekster af Nicolai Winther|Υπότιτλοι AUTHORWAVE|ترجمة نانسي قنقر|اشتركوا في القناة
字幕由Amara.org社区提供|请不吝点赞 订阅 转发 打赏支持明镜与点点栏目|中文字幕志愿者 李宗盛|谢谢观看|感谢观看|謝謝觀看!
ご視聴ありがとうございました|チャンネル登録をお願いします|시청해주셔서 감사합니다.|자막 제공 및 자막을 사용하였습니다
Cảm ơn các bạn đã theo dõi.|Terima kasih telah menonton!
"""
NOTES = r"""
[BLANK_AUDIO]|[ Silence ]|(music)|(upbeat music)|*music playing*|**music**|♪ la la la ♪|♪♪|♪ singing in the rain|[Music
(coughs) (sighs)|【音楽】|（拍手）|BLANK_AUDIO|...|[00:00.000 --> 00:02.000]|<|nospeech|>|<|en|><|transcribe|>
SPEAKER_00:|{\an8}|_laughs_
"""
DRESSED = (
    "SPEAKER_00: {}",
    "SPEAKER_00 {}",
    "Speaker 1: {}",
    "[SPEAKER_01]: {}",
    "Speaker A: {}",
    "Guest-1: {}",
    "Sprecher 2: {}",
    "<v Bob>{}</v>",
    "<|en|>{}<|endoftext|>",
    "<|0.00|> {}<|2.00|>",
    "[00:00:00.000 --> 00:00:02.400]   {}",
    "1\n00:00:00,000 --> 00:00:02,400\n{}",
    "WEBVTT\n\n00:00.000 --> 00:02.400\n{}",
    "[0.0s] {}",
    "- {}",
    ">> {}",
    "Transcript: {}",
    "{} [Music]",
    "(laughs) {}",
    "{} Thanks for watching!",
    "{} Untertitel der Amara.org-Community",
    "{}\nSubtitles by the Amara.org community",
)
SAID = """
Let's meet at 10:30.|9:30 works for me.|My number is 0 0 0 0 0 0 7.|The budget is 1,000,000 dollars, 3.5 percent.
Subtitles are important.|The subtitles by Anna are good.|Subtitles from the video are wrong.|Untertitel sind wichtig.
Captions would help everybody.|Our captions by default are off.|Legenda do gráfico está errada.|Copyright is an issue.
Can you transcribe the meeting?|Transcripts from last week, where are they?|Translate it from French.
Thanks for watching the demo, what did you think?|We subscribe to that plan.|Everybody should subscribe by Friday.
Go to www.example.org and look.|Speaker notes are in the file.|The speaker: a man of fifty.|Music is my hobby.
No, no, no, no, that is wrong.|I think, I think we should wait.|I know, I know, I know it.|Thank you.|Bye-bye!
谢谢大家，我们开始吧。|会议什么时候开始？我们需要一个计划。|Dr. Mills comes at 9 a.m., e.g. on Friday.
"""


def each(lines: str) -> list[str]:
    return [one for line in lines.strip().splitlines() for one in _split(line)]


def _split(line: str) -> list[str]:
    return line.replace("<|", "<!").replace("|>", "!>").split("|")


@pytest.mark.parametrize("written", each(CREDITS) + each(NOTES))
def test_credits_thanks_for_watching_and_notes_on_sounds_are_nothing_that_was_said(written: str) -> None:
    assert said_in(written.replace("<!", "<|").replace("!>", "|>")) == ""


@pytest.mark.parametrize("written", DRESSED)
def test_words_are_taken_out_of_labels_tags_times_and_what_stands_beside_them(written: str) -> None:
    assert said_in(written.format(PLAN)) == PLAN


def test_several_speakers_and_cues_of_one_answer_are_one_text() -> None:
    assert said_in("Speaker A: What now? Speaker B: I agree.") == "What now? I agree."
    cues = "1\n00:00:00,000 --> 00:00:01,000\nWhat now?\n\n2\n00:00:01,000 --> 00:00:02,000\nI agree."
    assert said_in(cues) == "What now? I agree."


@pytest.mark.parametrize("said", each(SAID))
def test_what_people_say_stays_as_it_is(said: str) -> None:
    assert said_in(said, prompts=("Ada, Max",), seconds=3.0) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Anna, " + "the plan " * 400, "Anna, the plan"),
        ("I'm going to go. " * 60, "I'm going to go."),
        ("What is it? " + "I don't know. I think so. " * 40, "What is it? I don't know. I think so."),
        ("So we do, we do, we do, we do", "So we do"),
        ("no " * 30, "no"),
        ("ha" * 300, "ha"),
        ("好的" * 20, "好的"),
        ("the plan is the plan is the plan is the plan is the", "the plan is"),
        ("We should wait for it. " * 3, "We should wait for it."),
    ],
)
def test_what_a_recogniser_repeats_without_end_is_said_once(written: str, said: str) -> None:
    assert said_in(written, seconds=2.4) == said


def test_more_than_anybody_can_say_in_the_time_was_not_said() -> None:
    text = " ".join(f"word{number}" for number in range(60))
    assert said_in(text, seconds=2.4) == ""
    assert said_in(text, seconds=12.0) == text
    assert said_in(text) == text, "nobody knows how long it took"
    assert said_in("字" + "这是一个很长的句子没有人能说得这么快" * 3 + "吗", seconds=0.5) != ""


@pytest.mark.parametrize("echo", ["Ada, Max.", "Ada, Max", "ada max", "Ada, Max, Ada, Max, Ada."])
def test_the_names_that_a_recogniser_was_told_to_expect_come_back_as_no_words(echo: str) -> None:
    assert said_in(echo, prompts=("Ada, Max",)) == ""
    assert said_in(echo) == echo


def test_names_and_words_of_the_prompt_may_be_said_all_the_same() -> None:
    for said in ("Ada.", "Max, Ada?", "Ada, Max, what is up?", "Ada and Max."):
        assert said_in(said, prompts=("Ada, Max",)) == said
    prompt = "A meeting about the launch of the harbour ferry with Ada and Max."
    assert said_in("The launch of the harbour ferry", prompts=(prompt,)) == ""
    assert said_in("The harbour ferry?", prompts=(prompt,)) == "The harbour ferry?"
