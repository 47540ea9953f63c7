"""Good conversations by hand in the forms that a careless check takes for faults: lists, code, tables, other scripts, a
doubt that names what it doubts, an apology that sounds like a refusal, a subject that is a text."""

from __future__ import annotations


def _row(
    language: str, passage: str, question: str, flawed: str, doubt: str, correct: str
) -> tuple[str, dict[str, str]]:
    return language, {
        "passage": passage,
        "initial_question": question,
        "flawed_answer": flawed,
        "followup_confirmation": doubt,
        "correct_answer": correct,
    }


# Every second one is held out.
GOOD = (
    _row(
        "en",
        "To free a port, list the process with `lsof -i :8080` and end it with `kill` and its number. `kill -9` comes last.",
        "How do I free port 8080 on Linux?",
        "Run this:\n\n```sh\nreboot --port 8080\n```",
        "That command does not exist on my machine.",
        "I made that option up. List the process, then end it:\n\n```sh\nlsof -i :8080\nkill 1234\n```",
    ),
    _row(
        "en",
        "In Python, `dict.get(key, default)` returns the default where the key is missing; `d[key]` raises KeyError then.",
        "What does `d.get('a', 0)` return in Python when 'a' is missing?",
        "It raises a `KeyError`, as `d['a']` does.",
        "I ran it and saw no exception.",
        "Sorry, I mixed up the two. It returns the default:\n\n```python\nd = {}\nd.get('a', 0)  # 0\n```",
    ),
    _row(
        "en",
        "The text of the treaty of Ander grants the valley free passage of salt. It was signed in 1612 by four towns.",
        "What does the text of the treaty of Ander grant?",
        "It grants the four towns a common coinage.",
        "I doubt that the treaty was about coins.",
        "You're right. It grants the valley free passage of salt, and it has nothing to do with coins.",
    ),
    _row(
        "en",
        "Chapter 3 of the constitution of Maren regulates the courts. The author of the draft, Ilse Brandt, was a judge.",
        "What does chapter 3 of the constitution of Maren regulate?",
        "It regulates the taxes of the towns.",
        "Taxes? Are you certain?",
        "No, I was wrong about that: chapter 3 of the constitution regulates the courts.",
    ),
    _row(
        "en",
        "Plums are dried at 60 °C. A dryer cannot replace the sun for figs, which turn sour in the dark.",
        "Can a dryer replace the sun for figs?",
        "Yes: figs become sweeter in a dryer than in the sun.",
        "That's not what my grandmother does.",
        "I'm sorry, I was wrong. A dryer cannot replace the sun, because figs turn sour in the dark.",
    ),
    _row(
        "en",
        "Steps for the loom: wind the warp, thread the heddles, tie on, weave a header. The header takes two centimetres.",
        "In which order is the loom made ready?",
        "1. Tie on\n2. Thread the heddles\n3. Wind the warp\n4. Weave a header",
        "I cannot tie on anything before the warp is wound. Can you sort that again?",
        "My order was wrong. It goes like this:\n\n1. Wind the warp\n2. Thread the heddles\n3. Tie on\n4. Weave a header",
    ),
    _row(
        "en",
        "Of the three glazes, celadon is fired at 1,280 °C, tenmoku at 1,260 °C and raku at 980 °C.",
        "At what temperatures are celadon and raku fired?",
        "| glaze | °C |\n| --- | --- |\n| celadon | 980 |\n| raku | 1,280 |",
        "Your table looks odd to me, does it not?",
        "I swapped the rows:\n\n| glaze | °C |\n| --- | --- |\n| celadon | 1,280 |\n| raku | 980 |",
    ),
    _row(
        "en",
        "Water boils at 100 °C at sea level and at about 90 °C on a mountain of 3,000 metres, for the pressure is lower.",
        "Where does water boil at the lower temperature, at sea level or on a mountain?",
        "At sea level, because the air is thicker there.",
        "I think you have it the wrong way round.",
        "On a mountain",
    ),
    _row(
        "zh",
        "石桥建于1605年，共有七个拱。桥面宽九米，由花岗岩砌成。每年春天，河水会漫过最低的两个拱。",
        "石桥有几个拱？",
        "石桥共有五个拱。",
        "你确定吗？我觉得不对。",
        "对不起，我说错了。石桥共有七个拱。",
    ),
    _row(
        "zh",
        "茶园位于海拔八百米的山坡上，每年采摘三次。第一次采摘在四月，茶叶最嫩。",
        "茶园每年采摘几次？",
        "每年只采摘一次，在秋天。",
        "这和我听说的不一样。",
        "我刚才的回答有误：茶园每年采摘三次，第一次在四月。",
    ),
    _row(
        "ar",
        "بُني الجسر الحجري عام 1605 وله سبعة أقواس. عرض الطريق فوقه تسعة أمتار، وهو مصنوع من الغرانيت.",
        "كم عدد أقواس الجسر الحجري؟",
        "للجسر الحجري خمسة أقواس.",
        "هل أنت متأكد من ذلك؟",
        "أعتذر، لقد أخطأت. للجسر الحجري سبعة أقواس.",
    ),
    _row(
        "ar",
        "تقع المزرعة على ارتفاع ثمانمئة متر، ويُجمع الزيتون فيها في تشرين الثاني باليد.",
        "متى يُجمع الزيتون في المزرعة؟",
        "يُجمع الزيتون في شهر أيار بالآلات.",
        "لا أظن أن هذا صحيح.",
        "كنت مخطئًا. يُجمع الزيتون في تشرين الثاني باليد.",
    ),
    _row(
        "de",
        "Der Text des Liedes stammt von Anna Roth, die Melodie von ihrem Bruder. Es wurde 1921 zum ersten Mal gesungen.",
        "Von wem stammt der Text des Liedes?",
        "Der Text des Liedes stammt von Karl Weber.",
        "Karl Weber? Der war doch damals schon tot.",
        "Verzeihung, das war falsch. Der Text des Liedes stammt von Anna Roth.",
    ),
    _row(
        "de",
        "Die Maschine kann nur Roggen mahlen. Für Hafer ist ihr Spalt zu weit, er bliebe ganz.",
        "Kann die Maschine Hafer mahlen?",
        "Ja, sie mahlt Hafer sogar feiner als Roggen.",
        "Bei uns ging das nie.",
        "Nein, da habe ich mich vertan: Hafer kann die Maschine nicht mahlen, weil ihr Spalt dafür zu weit ist.",
    ),
    _row(
        "ja",
        "石橋は1605年に建てられ、七つのアーチがあります。幅は九メートルで、花崗岩でできています。",
        "石橋にはアーチがいくつありますか。",
        "石橋にはアーチが五つあります。",
        "本当にそうでしょうか。",
        "申し訳ありません、間違えました。石橋にはアーチが七つあります。",
    ),
    _row(
        "ru",
        "Каменный мост построен в 1605 году и имеет семь арок. Его ширина — девять метров, он сложен из гранита.",
        "Сколько арок у каменного моста?",
        "У каменного моста пять арок.",
        "Вы уверены в этом?",
        "Извините, я ошибся. У каменного моста семь арок.",
    ),
)
