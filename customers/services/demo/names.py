"""Made-up names and words for the demonstration."""

import random

GIVEN = {
    "": "Olivia Amelia Isla Ava Ivy Freya Lily Florence Mia Willow George Arthur Noah Muhammad "
    "Leo Oscar Harry Archie Jack Henry Grace Alice Ruby Thomas James Edith Ada Samuel Daniel",
    "Germany": "Emma Mia Hannah Lena Anna Noah Ben Paul Finn Leon Jonas Klara Greta Felix",
    "France": "Louise Emma Jade Alice Chloé Gabriel Léo Raphaël Louis Jules Inès Camille",
    "Spain": "Lucía Sofía Martina María Hugo Mateo Martín Pablo Carmen Daniel",
    "Italy": "Sofia Aurora Giulia Ginevra Leonardo Francesco Lorenzo Alessandro Chiara",
    "Netherlands": "Emma Julia Mila Tess Noah Sem Daan Lucas Finn Sanne",
    "Japan": "Himari Yui Mei Haruto Sota Ren Yuto Aoi Sakura",
}
FAMILY = {
    "": "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson "
    "Evans Walker White Roberts Green Hall Wood Jackson Clarke Khan Begum Ahmed Murphy Kelly",
    "Germany": "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann",
    "France": "Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent",
    "Spain": "García Rodríguez González Fernández López Martínez Sánchez Pérez",
    "Italy": "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino",
    "Netherlands": "de-Jong Jansen de-Vries van-Dijk Bakker Visser Smit Meijer",
    "Japan": "Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura",
}
CHINESE_FAMILY = (
    ("王", "wang"), ("李", "li"), ("张", "zhang"), ("刘", "liu"), ("陈", "chen"), ("杨", "yang"),
    ("赵", "zhao"), ("黄", "huang"), ("周", "zhou"), ("吴", "wu"), ("徐", "xu"), ("孙", "sun"),
)  # fmt: skip
CHINESE_GIVEN = (
    ("伟", "wei"), ("芳", "fang"), ("娜", "na"), ("敏", "min"), ("静", "jing"), ("丽", "li"),
    ("强", "qiang"), ("磊", "lei"), ("洋", "yang"), ("婷", "ting"), ("梓涵", "zihan"),
    ("雨桐", "yutong"), ("子轩", "zixuan"), ("欣怡", "xinyi"), ("浩然", "haoran"),
)  # fmt: skip
ACCENTS = str.maketrans("áàäâéèêëíïóôöúüñçÉ", "aaaaeeeeiiooouuncE")

REVIEWS = {
    1: ("Arrived broken, and nobody answered.", "收到就是坏的，客服也没人理。"),
    2: ("Smaller than in the picture. I sent part of it back.", "比图片小，退了一部分。"),
    3: ("All right for the price.", "这个价格还可以。"),
    4: ("Nice quality, a little slow to arrive.", "质量不错，就是物流有点慢。"),
    5: ("Lovely, exactly as described. Will order again.", "很喜欢，和描述一样，会回购。"),
}
COMPLAINTS = (
    ("Part of my order is missing", "订单少发了一件"),
    ("Two cups arrived broken", "收到的两个杯子碎了"),
    ("Where is my refund?", "退款什么时候到账？"),
)


def person(dice: random.Random, country: str, *, is_chinese: bool) -> tuple[str, str]:
    """Return a name that fits the country, and its spelling for an e-mail address."""
    if is_chinese:
        family, family_latin = dice.choice(CHINESE_FAMILY)
        given, given_latin = dice.choice(CHINESE_GIVEN)
        return family + given, f"{given_latin}.{family_latin}"
    given = dice.choice(GIVEN.get(country, GIVEN[""]).split())
    family = dice.choice(FAMILY.get(country, FAMILY[""]).split())
    handle = f"{given}.{family}".translate(ACCENTS).lower()
    return f"{given} {family.replace('-', ' ')}", handle


def review(dice: random.Random, rating: int, *, is_chinese: bool) -> str:
    """Return words that fit a rating; some say nothing."""
    return REVIEWS[rating][int(is_chinese)] if dice.random() < 0.8 else ""


def complaint(dice: random.Random, *, is_chinese: bool) -> str:
    """Return the subject of a ticket."""
    return dice.choice(COMPLAINTS)[int(is_chinese)]
