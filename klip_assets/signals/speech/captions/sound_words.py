"""Vocabulary of sound tags.

English, Spanish, French, German, Portuguese and Italian, as used by subtitlers, and for other languages the tags that
YouTube generates. Each entry is a regular expression in lower case and without accents; `_` is an optional space.
"""

from __future__ import annotations

from collections.abc import Mapping

VOCABULARY: Mapping[str, str] = {
    "laughter": r"""
        (?:ha)+h? l(?:augh|aff)(?:s|ed|ing|ter)? chuckl(?:e|es|ed|ing) giggl(?:e|es|ed|ing)
        cackl(?:e|es|ed|ing) snicker(?:s|ed|ing)? rie rien riendo risas? risitas? risotadas? carcajadas?
        rires? rit rient ricane(?:ment)?s? lach(?:en|t|end)? gelachter kicher(?:n|t) kichernd gekicher risos?
        risadas? gargalhadas? risat[ae] ridono gelach smiech gulme gulusme смех 笑い? 笑い?声 笑聲 笑声 웃음 हंसी ضحك
    """,
    "music": r"""
        musics? musical songs? melody instrumentals? jingle musica musicas musical(?:e|es) musiques? musik
        muziek muzyka muzik музыка 音楽 音乐 音樂 음악 संगीत موسيقى cancion chanson tune
    """,
    "singing": r"""
        sing(?:s|ing)? sang vocali[sz]ing humm?(?:s|ing) canta(?:n|ndo)? chante(?:nt)? sing(?:t|en) gesang
        canto canti
    """,
    "applause": r"""
        applau(?:se|ds|ding|d|ded) clap(?:s|ping|ped)? aplausos? aplaude[n]? applaudissements?
        applaudi(?:t|ssent) applaus klatsch(?:en|t) beifall palmas applaus[io] applaudono oklaski alkis
        аплодисменты 拍手 掌声 掌聲 박수 تصفيق
    """,
    "cheering": r"""
        cheer(?:s|ing|ed)? whoop(?:s|ing|ed)? hoorays? hurrahs? acclaim vitores? ovacion(?:es)? ovations?
        acclamations? jubel(?:t|n|nd)? vivas esultanza 歓声 歡呼 欢呼 환호
    """,
    "booing": r"""
        boo(?:s|ing|ed)? abucheos? huees? buhrufe vaias?
    """,
    "screaming": r"""
        scream(?:s|ing|ed)? shriek(?:s|ing|ed)? yell(?:s|ing|ed)? shout(?:s|ing|ed)? squeal(?:s|ing|ed)?
        grita(?:n|ndo)? gritos? chill(?:a|an|ido) cris? crie(?:nt)? hurle(?:nt|ment|ments)?
        schrei(?:e|t|en|end)? kreisch(?:t|en) urla urlano urlo grida gridano 悲鳴 尖叫 비명
    """,
    "crying": r"""
        cry(?:ing)? cries cried sob(?:s|bing|bed)? weep(?:s|ing)? wept whimper(?:s|ing|ed)? sniffl(?:e|es|ing)
        llora(?:n|ndo)? llantos? solloz(?:a|an|os?|ando) pleure(?:nt)? pleurs sanglot(?:s|e|ent)?
        wein(?:t|en|end) schluchz(?:t|en) chora(?:m|ndo)? choro piang(?:e|ono) pianto singhiozz[aio]
    """,
    "gasping": r"""
        gasp(?:s|ing|ed)? pant(?:s|ing|ed) jadeos? jadea(?:n|nte)? halete(?:nt)? keuch(?:t|en|end)
        suspiro_de_sorpresa
    """,
    "sighing": r"""
        sigh(?:s|ing|ed)? suspir(?:a|an|os?|ando) soupir(?:s|e|ent)? seufz(?:t|en|er) sospir(?:a|i|o)
    """,
    "groaning": r"""
        groan(?:s|ing|ed)? moan(?:s|ing|ed)? grunt(?:s|ing|ed)? growl(?:s|ing|ed)? gemid(?:os?) gime
        grun(?:e|en|idos?) gemit gemissements? grogne(?:ment)?s? stohn(?:t|en) achz(?:t|en) geme mugola
    """,
    "coughing": r"""
        cough(?:s|ing|ed)? throats? sneez(?:e|es|ing|ed) tos tose[n]? carraspe(?:a|os?) estornud(?:a|os?)
        tousse(?:nt)? hust(?:et|en) rauspert niest tossisce tosse
    """,
    "snorting": r"""
        snort(?:s|ing|ed)? snor(?:e|es|ing|ed) sniff(?:s|ing|ed)? resopl(?:a|idos?) ronca ronfle(?:ment)?s?
        schnaub(?:t|en) schnarch(?:t|en)
    """,
    "breathing": r"""
        breath(?:s|es|ing|ed)? breathe inhal(?:e|es|ing) exhal(?:e|es|ing) respira(?:n|cion|ndo)?
        respir(?:e|ation) atm(?:et|en) respiro
    """,
    "whistling": r"""
        whistl(?:e|es|ing|ed) silb(?:a|an|idos?) siffle(?:nt|ment|ments)? pfeif(?:t|en) fischia
    """,
    "silence": r"""
        silences? silent silencio stille silenzio blank_?audio
    """,
    "speech": r"""
        inaudible unintelligible indistinct(?:o|a)? crosstalk chatter(?:ing)? murmur(?:s|ing|a|an|ando|os?)?
        mutter(?:s|ing)? mumbl(?:e|es|ing) whisper(?:s|ing|ed)? speaks? speaking talks? talking foreign
        ininteligible susurr(?:a|an|ando|os?) hablan? hablando en_ingles in_english in_spanish in_french
        in_german in_japanese chuchote(?:nt)? inintelligible unverstandlich unverstandliches flustert
        stutters? stammers? tartamudea
    """,
    "gunshot": r"""
        gun_shots? gun_fire shots?_fired disparos? tiros? coups?_de_feu schuss schusse spari sparo
    """,
    "explosion": r"""
        explo(?:sion|sions|des|ding) explosion(?:es)? boom(?:s|ing)? explosao explosoes esplosion[ei]
        detonation
    """,
}

#: Scripts without spaces: there a tag is matched by substring.
UNSPACED: Mapping[str, str] = {
    "laughter": "笑|웃음",
    "music": "音楽|音乐|音樂|음악",
    "applause": "拍手|掌声|掌聲|박수",
    "cheering": "歓声|歡呼|欢呼|환호",
    "screaming": "悲鳴|叫び|尖叫|비명",
    "crying": "泣|哭|울음",
}

#: Words common in sentences and rare in tags.
SENTENCE_WORDS = """
    i i'm i'll i've i'd you you're your we we're he she he's she's they they're it's this that that's these is are
    was were am be do don't did didn't does have has had can can't will would should could not no yes yeah my our
    me us what why how so but because if okay ok please just really
"""

#: Words for speakers.
PEOPLE = """
    man woman men women boy girl narrator announcer host speaker reporter interviewer interviewee moderator both
    all everyone male female hombre mujer nino nina chico chica narrador narradora presentador locutor todos ambos
    ambas homme femme garcon fille narrateur tous mann frau junge madchen erzahler sprecher sprecherin alle beide
    homem mulher uomo donna ragazzo ragazza
"""

#: Sounds without their own label; a capital letter does not make these a name.
NOISES = """
    alarm applause barking bark bell bells beep beeps beeping buzz buzzer buzzing click clicks clicking clock
    crash creak dog door engine footsteps horn knock knocks knocking noise phone rain ring rings ringing siren
    sirens static thud thunder tires traffic wind telefono puerta timbre truenos portazo telephone porte tonnerre
    telefon tur donner
"""
