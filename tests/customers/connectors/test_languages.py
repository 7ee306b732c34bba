"""Which bytes are Chinese and which are accented letters, in short files and in long ones."""

import random

import pytest

from customers.connectors import tables
from customers.connectors.tables.encodings import detect
from customers.errors import UnreadableFileError
from tests.customers.connectors.files import cells, write


def words(text):
    return text.split()


TRADITIONAL = words(
    "臺灣 國際 資訊 訂單編號 會員 顧客姓名 電子郵件 電話號碼 收貨地址 付款時間 "
    "發貨狀態 商品名稱 數量 單價 總額 優惠券 運費 備註 退款金額 評價內容 客服 "
    "滿意度 物流公司 訂單完成 等待買家付款 賣家已發貨 交易成功 交易關閉 "
    "新北市板橋區文化路一段 臺北市信義區松高路 高雄市左營區 香港九龍旺角彌敦道 澳門 "
    "陳怡君 林志玲 黃國倫 張惠妹 劉德華 鄭秀文 郭富城 蔡依林 吳宗憲 謝霆鋒 歐陽娜娜 "
    "司馬遷 雞蛋 麵包 牛肉麵 珍珠奶茶 鳳梨酥 烏龍茶 高山茶葉禮盒 護膚品 面膜 洗髮精 "
    "沐浴乳 電腦 滑鼠 鍵盤 螢幕 耳機 充電器 手機殼 藍牙喇叭 運動鞋 連帽上衣 牛仔褲 "
    "連身裙 襪子 圍巾 手套 雨傘 書籍 筆記本 鋼筆 橡皮擦 玩具 積木 拼圖 遊戲 貓砂 "
    "狗糧 寵物用品 請盡快發貨，謝謝！ 包裝破損，要求退換貨。 顏色與圖片不符 "
    "尺寸偏小，建議買大一號 非常滿意，會再回購 客服態度很好，回覆迅速 "
    "這個產品的質量讓我很驚喜 東西還沒收到，請問什麼時候會送達？ "
    "我們將於三個工作天內處理您的退款申請。 歡迎光臨 感謝您的訂購 個人資料保護 隱私權政策 "
    "發票開立 統一編號 "
)
SIMPLIFIED = words(
    "客户 上海 北京 订单编号 张伟 王芳 收货地址 请尽快发货 包装破损 T恤 iPhone手机壳 红色XL"
)
WESTERN = {
    "German": words(
        "Müller Schröder Köln München Größe Straße für Österreich Übergröße Äpfel öffnen "
        "schön Grüße Bücher Gebühr über Jürgen Jörg Düsseldorf Nürnberg Würzburg Füße heißt "
        "weiß MÜLLER GRÖSSE Hämorrhoidensalbe Königsallee "
    ),
    "French": words(
        "François Hélène Noël Zoé Chloé Gaëlle Élodie Étienne Émile Île Œuvre cœur hôtel "
        "forêt crème brûlée château Orléans Besançon Nîmes garçon français théâtre déjà "
        "réussi André Renée Genève Neuchâtel naïve façade «Bonjour» l’été d’été HÉLÈNE "
        "FRANÇOIS "
    ),
    "Spanish": words(
        "José María Málaga Córdoba niño año España Muñoz Núñez Peña Ibáñez Peñíscola Güell "
        "Begoña Iñaki Ángel Óscar Álvarez Íñigo Única él Él señora mañana corazón ¿Qué ¡Hola "
        "MUÑOZ ESPAÑA "
    ),
    "Portuguese": words(
        "João Conceição São Paulo Ação Coração Irmão Mãe Luís Antônio Brasília Goiânia Maceió "
        "coleção atenção Gonçalves Araújo Magalhães Simões Guimarães CORAÇÃO CONCEIÇÃO SÃO "
    ),
    "Swedish": words(
        "Ångström Björn Göran Åsa Åse Öberg Älvsjö Malmö Göteborg Linköping Skåne Småland "
        "Västerås smörgås Räksmörgås Håkan Pålsson Sjöström ÅSA "
    ),
    "Nordic": words(
        "Ørsted Sørensen Jørgensen Øl Æble Bjørn Tromsø København Ólafur Þór Guðrún Reykjavík "
        "Ísafjörður Häkkinen Räikkönen Jyväskylä Hämeenlinna "
    ),
}


def found(path, text, codec):
    return detect(write(path / "a.csv", text.encode(codec))).codec


def is_short_for_utf8(text):
    """Tell whether a text's bytes could be two letters of UTF-8: then they are."""
    try:
        text.encode("gb18030").decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("words", [TRADITIONAL, SIMPLIFIED])
def test_one_cell_of_chinese_is_chinese(tmp_path, words):
    told = [word for word in words if not is_short_for_utf8(word)]

    assert len(told) > 0.9 * len(words)
    for before, behind in (("", ""), ("name\n", "\n"), ("id,name\n1,", ",x\n")):
        wrong = [w for w in told if found(tmp_path, before + w + behind, "gb18030") != "gb18030"]
        assert wrong == []


def test_a_file_of_traditional_chinese_keeps_every_sign(tmp_path):
    rows = [f"{number},{word},臺灣" for number, word in enumerate(TRADITIONAL)]
    path = write(tmp_path / "a.csv", "\n".join(["編號,名稱,國家", *rows]).encode("gb18030"))

    assert [row["名稱"] for row in cells(path)] == TRADITIONAL


@pytest.mark.parametrize("language", WESTERN)
@pytest.mark.parametrize("codec", ["latin-1", "cp1252"])
def test_one_accented_word_is_never_chinese(tmp_path, language, codec):
    words = [w for w in WESTERN[language] if w.encode(codec, "replace").decode(codec) == w]

    for before, behind in (("", ""), ("name\n", "\n"), ("id|name\n1|", "|x\n")):
        wrong = [w for w in words if found(tmp_path, before + w + behind, codec) == "gb18030"]
        assert wrong == []


@pytest.mark.parametrize("language", WESTERN)
def test_a_file_of_accented_words_is_western(tmp_path, language):
    words = WESTERN[language]
    rows = [f"{number};{word};Köln" for number, word in enumerate(words)]
    path = write(tmp_path / "a.csv", "\n".join(["id;name;city", *rows]).encode("cp1252"))

    assert [row["name"] for row in cells(path)] == words


def test_no_few_accented_words_together_are_chinese(tmp_path):
    chance = random.Random(7)
    words = [word for many in WESTERN.values() for word in many]

    for _file in range(300):
        text = chance.choice(",; \t|").join(chance.sample(words, chance.randint(1, 4)))
        assert found(tmp_path, text, "cp1252") != "gb18030", text


def test_big5_is_refused_not_read_as_other_chinese(tmp_path):
    path = write(tmp_path / "a.csv", "\n".join(TRADITIONAL).encode("big5"))

    with pytest.raises(UnreadableFileError, match="Save it as CSV in UTF-8"):
        tables.read_layout(path)
