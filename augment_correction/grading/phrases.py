"""The words that a plain statement is made with and that add nothing of their own, by language: data for `case.py`.

No word that turns, doubts, lists or moves ("not", "perhaps", "and", "from", "until", "said") may stand in `FRAMES` or
`STATING`: what is not in them leaves an answer undecided, so that a language or a trick nobody has thought of is left to
a judge and never taken for an assertion.
"""

from __future__ import annotations

from augment_correction.grading.lexicon import as_set

FRAMES: dict[str, frozenset[str]] = {
    language: as_set(text)
    for language, text in {
        "en": """a an the is are am was were it it's its that that's this these those there here he he's she she's they
            they're his her their i i'm we we're of in on at by for as which who whom whose what when where how did does do has
            have been thus therefore hence so think believe them answer answers correct right true final result total statement
            solution option equals equal = exactly about approximately around roughly actually indeed still again""",
        "de": """ist sind war waren es das dies dieser diese dieses der die den dem des ein eine einer einem einen er sie im
            am in von vom durch für hat heißt antwort lautet richtige richtig korrekt korrekte ich glaube denke also nämlich
            insgesamt genannt wurde wurden etwa rund""",
        "es": """es son fue fueron era eran está están el la los las lo un una de del en por se llama respuesta correcta
            correcto creo que su sus ha sido este esta esto eso trata""",
        "fr": """est sont était ce cet cette il elle ils elles le la les un une de du des en par pour réponse correcte
            bonne je pense crois que a été appelle""",
        "it": """è sono era erano fu furono il lo la i gli le un uno una di del dello della dei degli delle in nel
            nella da dal dalla si chiama risposta corretta giusta esatta credo penso che questo questa stata stato""",
        "pt": """é são foi foram era eram está o a os as um uma de do da dos das em na nas pelo pela se chama resposta correta
            certa acho que isto isso este esta ele ela""",
        "nl": """is zijn was waren het de een dit dat deze die hij zij in van door antwoord juiste juist correcte ik denk geloof
            heet heeft werd""",
        "da": """er var det den de denne dette en et i på af svaret rigtige rigtigt korrekte jeg tror hedder kaldes han hun""",
        "sv": """är var det den de denna detta en ett i på av svaret rätt rätta korrekta korrekt jag tror heter kallas han
            hon""",
        "no": """er var det den de en et i på av svaret riktige riktig jeg tror heter kalles han hun""",
        "fi": """on oli se vastaus oikea""",
        "ru": """это этот эта является был была было были в во ответ правильный верный правильно верно я думаю считаю что
            называется он она оно они""",
        "uk": """це цей ця є був була було були у в відповідь правильна вірна правильно я думаю вважаю що називається він вона
            воно""",
        "pl": """to jest są był była było były w we odpowiedź prawidłowa poprawna brzmi nazywa się myślę że on ona ono ten
            ta""",
        "cs": """je jsou byl byla bylo byli to v ve odpověď správná zní jmenuje se myslím že ten ta on ona""",
        "ro": """este sunt era a fost răspunsul corect""",
        "hu": """a az ez helyes válasz""",
        "tr": """bu budur cevap doğru yanıt dır dir dur dür tır tir tur tür""",
        "el": """είναι ήταν η ο το οι τα του της απάντηση σωστή""",
        "ar": """هو هي الجواب الإجابة الصحيحة الصحيح هذا هذه كان كانت في""",
        "he": """הוא היא זה זו התשובה הנכונה""",
        "fa": """است پاسخ درست جواب""",
        "hi": """है हैं था थी थे यह वह उत्तर सही का की के में""",
        "id": """adalah ialah itu ini jawabannya jawaban yang benar di""",
        "vi": """là câu trả lời đúng""",
        "zh": """是 的 为 為 在 答案 正确 正確 正确答案 这 這 它 叫 位于 位於 我认为 我認為""",
        "ja": """は が の を に です だ である 答え 答えは 正解 正解は これ それ""",
        "ko": """입니다 이다 이에요 예요 은 는 이 가 을 를 의 에 정답 답""",
        "th": """คือ เป็น คำตอบ ที่""",
    }.items()
}
FRAME = frozenset[str]().union(*FRAMES.values())

STATING = as_set(
    """called named titled known written sung performed played composed released located situated found won created
    developed made directed published founded built invented discovered introduced portrayed voiced recorded born occurred
    happened took takes place held began started song character role city country state year name film movie book novel
    album series team company river singer author writer actor actress king queen president winner person man woman
    occurs lies stands sits belongs became used opened completed finished
    premiered aired provided owned fought elected ended music voice voiced title game show episodes episode season member
    members place part character's
    """
)
"""Words of content that English statements are commonly made with; they say of what sort something is, and not what."""

ASSURING = as_set(
    """yes yeah sure certain confident positive my stand by checked course okay ok well hello hi thank thanks asking
    checking let me know hope helps help if you have any more further questions question glad to happy with everything
    else there can confirm maintain
    ja sicher mir bleibe dabei meiner danke gerne oui sûr certain merci sí seguro estoy gracias bestätige confirme maintiens confirmo mantengo confermo sono sicuro confirmo certeza
    bevestig zeker säker sikker potwierdzam подтверждаю уверен уверена
    """
)
"""In a sentence without the answer they keep to it or are polite."""

APOLOGISING = as_set(
    """sorry apologize apologise apologies confusion misunderstanding inconvenience mistake error earlier previous pardon
    you you're you've your are right good catch point pointing out that check double question
    entschuldigung entschuldige tut leid verwirrung recht du hast haben sie fehler
    désolé désolée pardon excusez-moi vous avez raison erreur lo siento perdón disculpa tienes razón confusión
    """
)
"""Before the answer they open a correction ("I apologize for the confusion. It is Paris."); after it they take it back."""

POLITE = (ASSURING, APOLOGISING)

DENIALS = as_set(
    """not no never none nobody nothing nowhere neither nor without cannot hardly
    nicht kein keine keiner keinen keinem keines nie niemals nichts ohne weder
    no nunca jamás tampoco ningún ninguno ninguna nadie nada sin ne pas jamais aucun aucune sans ni rien personne non
    mai nessun nessuno nessuna senza né neanche não nem nunca jamais sem nenhum nenhuma
    niet geen nooit zonder ikke ikkje aldrig aldri inte inga ingen inget uden uten utan ej ei eivät
    не нет ни никогда без нельзя ні ніколи немає nie nigdy bez żaden žádný nikdy není nejsou není nebyl
    nu niciodată nem nincs soha değil yok asla hayır δεν μην όχι ποτέ لا ليس ليست لم لن غير לא אין نه نیست नहीं न मत
    bukan tidak jangan không chẳng
    """
)
ONLY_IN: dict[str, frozenset[str]] = {
    "sin": as_set("es"),
    "mai": as_set("it ro"),
    "ei": as_set("fi"),
    "nu": as_set("ro"),
    "ni": as_set("es fr"),
    "ne": as_set("fr"),
    "personne": as_set("fr"),
    "non": as_set("it fr"),
    "no": as_set("en es it"),
    "sem": as_set("pt"),
    "utan": as_set("sv"),
}
"""Denials that are ordinary words in other languages: German has a "Mai" and an "Ei", Dutch says "nu" for now."""
DENYING_SIGNS = ("不", "没", "沒", "非", "ない", "ません", "なく", "않", "아니", "아닙", "못", "ไม่", "มิใช่")
"""In scripts without spaces."""

CHOOSING = as_set(
    "or either oder entweder ou ofwel eller eli tai или або чи lub albo czy nebo či sau vagy veya yoksa ή أو أم או یا या atau"
)
"""They offer a choice in a question; beside them stand the rivals of the answer."""
CHOOSING_IN: dict[str, frozenset[str]] = {
    "nl": as_set("of"),
    "es": as_set("o u"),
    "it": as_set("o"),
    "vi": as_set("hay"),
}
"""More of them, which are other words in other languages."""
CHOOSING_SIGNS = ("还是", "還是", "それとも", "또는", "아니면", "หรือ")

NOT = "not|nicht|no|non|pas|niet|inte|ikke|não|nie|ne|не"
BUT = "but|sondern|sino|mais|ma|bensì|maar|utan|mas|lecz|ale|а|but rather"
AND = as_set("and und et y e en och og i и")
"""The first two and what stands between them deny a rival ("not Lyon but Paris"), as does what follows "not" at the end."""
DENIED_RIVALS = (
    r"不是\w{1,8}?[,，、]?\s?而是", r"[^\W\d_]{1,8}?(?:では|じゃ)な(?:く|くて)[、,]?", r"[^\W\d_]{1,8}?[이가] 아니라\s?",
)  # fmt: skip

BY = as_set("by von durch par por da dal dalla pelo pela door av af przez von")
"""They turn who does and who suffers: Napoleon defeated Wellington, Napoleon was defeated by Wellington."""

WHO = as_set("who whom wer wen wem qui quién quiénes chi quem кто кого хто kto kdo vem hvem kuka kim")
"""They ask for a person."""

OBJECT = as_set("do does did whom wen hat haben a-t-il que che cosa")
"""With one of these a question asks for what comes behind its verb."""

PAST = as_set(
    "was were war waren fue fueron era eran erano fu furono était foi foram eram oli był była było były byl byla bylo byli"
)
PRESENT = as_set("is are ist sind es son est sont è sono é são är er jest są je on")
"""A question in the present is not answered by what was."""

HALVES = as_set("am pm")
POINTS = as_set("am pm bc bce ad ce dozen hundred thousand million billion trillion")
"""They make another value of a number, and are no unit that the question implies."""

MONTHS = as_set(
    """january february march april may june july august september october november december
    januar februar märz mai juni juli oktober dezember janvier février mars avril juin juillet août septembre octobre
    novembre décembre enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre gennaio
    febbraio aprile maggio giugno luglio settembre ottobre dicembre janeiro fevereiro março maio junho julho setembro
    outubro dezembro januari februari maart mei augustus"""
)
"""A date says the same in any order of its parts; "2:1" does not."""

_BACK = {
    language: as_set(text)
    for language, text in {
        "en": """actually sorry apologize apologise apologies mistake mistaken misspoke wrong incorrect correction wait rather
            instead oops nope misunderstanding confused""",
        "de": """eigentlich entschuldigung entschuldige leider fehler irrtum falsch korrektur sondern stattdessen doch
            vielmehr sagte moment""",
        "es": """perdón disculpa disculpe error equivocado equivoqué incorrecto incorrecta corrección realidad sino dije
            siento falso""",
        "fr": """pardon désolé désolée erreur faux fausse incorrect incorrecte correction réalité plutôt trompé trompée
            dit excusez excuses""",
        "it": """scusa scusi scusate errore sbagliato sbagliata sbagliavo errato realtà invece bensì detto falso""",
        "pt": """desculpe desculpa erro errado errada enganei incorreto correção realidade senão disse falso""",
        "nl": """sorry excuses fout vergissing onjuist eigenlijk correctie maar zei feite""",
        "da": """undskyld beklager fejl forkert egentlig faktisk rettelse sagde""",
        "sv": """förlåt ursäkta beklagar fel felaktigt egentligen faktiskt rättelse sade sa""",
        "no": """unnskyld beklager feil galt egentlig faktisk rettelse sa""",
        "ru": """извините простите ошибка ошибся ошиблась неверно неправильно вернее точнее сказал сказала самом""",
        "uk": """вибачте перепрошую помилка помилився помилилась невірно неправильно точніше сказав сказала""",
    }.items()
}
TAKING_BACK: dict[str, frozenset[str]] = _BACK
"""In a further sentence they take back what was said, or open another answer."""

TURNING: dict[str, frozenset[str]] = {
    language: as_set(text) | CHOOSING | CHOOSING_IN.get(language, frozenset()) | _BACK[language] - {"actually"}
    for language, text in {
        "en": """either maybe perhaps possibly probably might could although though likely unlikely unsure unclear unknown
            doubt doubtful allegedly supposedly formerly former previously until till but whereas unlike than near nearby
            except besides say says said claimed false thought earlier myth hoax rumour rumor together jointly retract withdraw""",
        "de": """vielleicht möglicherweise wahrscheinlich vermutlich wohl könnte obwohl zweifel unklar früher ehemals
            ehemalige ehemaliger bis aber während statt anstatt als nahe bei außer neben angeblich""",
        "es": """quizás quizá tal posiblemente probablemente podría aunque duda antes antiguamente antiguo antigua hasta pero
            mientras salvo excepto cerca supuestamente más""",
        "fr": """peut-être peut probablement possiblement pourrait bien doute autrefois ancien ancienne jadis jusqu'en
            jusque jusqu'à mais tandis sauf près plus""",
        "it": """forse probabilmente possibilmente potrebbe sebbene dubbio prima ex fino ma mentre tranne vicino più""",
        "pt": """talvez provavelmente possivelmente poderia embora dúvida antes antigo antiga até mas enquanto exceto perto
            mais""",
        "nl": """misschien mogelijk waarschijnlijk vermoedelijk zou hoewel twijfel vroeger voormalig voormalige tot terwijl
            behalve bij dan""",
        "da": """måske muligvis sandsynligvis kunne selvom tvivl tidligere indtil men mens undtagen nær end""",
        "sv": """kanske möjligen troligen sannolikt kunde fastän tvivel tidigare tills men medan utom nära än""",
        "no": """kanskje muligens sannsynligvis kunne selv tvil tidligere inntil men mens unntatt nær enn""",
        "ru": """возможно вероятно может наверное хотя сомнение раньше прежде бывший бывшая до но а тогда кроме около чем""",
        "uk": """можливо ймовірно може мабуть хоча сумнів раніше колишній колишня до але а тоді крім біля ніж""",
    }.items()
}
"""Beside one of these a name may stand that is not the answer: a doubt, another time, a comparison, an apology. Only
languages in which a denial is a word of its own: in Czech, Turkish and others it is a part of any verb."""

OWN_ACCOUNT: dict[str, frozenset[str]] = {
    language: as_set(text)
    for language, text in {
        "en": "i my", "de": "ich mein meine", "es": "yo mi", "fr": "je j'ai mon ma", "it": "io mio mia", "pt": "eu meu minha",
        "nl": "ik mijn", "da": "jeg min", "sv": "jag min", "no": "jeg min", "ru": "я мой моя", "uk": "я мій моя",
    }.items()
}  # fmt: skip
OPINION = as_set(
    """think believe knowledge update cutoff glaube denke wissen creo pienso crois pense credo penso acho creio denk geloof tror
    думаю считаю вважаю"""
)
"""Who speaks of themselves and gives no opinion may be taking an answer back ("I take back Ida Brandt.")."""

AWAY = as_set(
    """from like after before against to with beside behind over under between via despite
    aus nach vor gegen zu mit neben hinter über unter zwischen desde tras contra con a después après avant contre avec
    vers à dopo contro con verso após contra com uit na naar voor tegen met fra efter før mod med från efter före mot etter
    из от после против с к від після проти з"""
)
"""Directly before a name they make something else of it, unless the question says them, too."""
DATING = as_set("from to")
"""Before a number they may lead to what was asked: "dates back to 1835"."""
OF = as_set("of von de di van af av du d'")
WHERE = as_set("where wo dónde donde où dove onde waar hvor var где де")
"""They ask for a place, which is often named with the larger one: "Omaha, Nebraska"."""
VERBS = as_set("is was are were has had ist war hat est était es fue")
OFFERS = ("anything else", "would you like", "do you have any", "can i help", "may i help", "can i assist", "how can i")
"""They ask in a polite ending and take nothing back."""
