"""Made-up names and sentences, in Chinese and English."""

FAMILY = (
    ("Smith", "smith"), ("Jones", "jones"), ("Taylor", "taylor"), ("Brown", "brown"),
    ("Patel", "patel"), ("Wright", "wright"), ("Evans", "evans"), ("Walker", "walker"),
    ("Khan", "khan"), ("Murphy", "murphy"), ("O'Neill", "oneill"), ("Hall", "hall"),
)  # fmt: skip
GIVEN = (
    ("Olivia", "olivia"), ("Amelia", "amelia"), ("Freya", "freya"), ("George", "george"),
    ("Arthur", "arthur"), ("Noah", "noah"), ("Zoë", "zoe"), ("Oscar", "oscar"),
    ("Grace", "grace"), ("Samuel", "samuel"), ("Edith", "edith"), ("Ravi", "ravi"),
)  # fmt: skip
CHINESE_FAMILY = (
    ("王", "wang"), ("李", "li"), ("张", "zhang"), ("刘", "liu"), ("陈", "chen"), ("杨", "yang"),
    ("赵", "zhao"), ("黄", "huang"), ("周", "zhou"), ("吴", "wu"), ("徐", "xu"), ("欧阳", "ouyang"),
)  # fmt: skip
CHINESE_GIVEN = (
    ("伟", "wei"), ("芳", "fang"), ("娜", "na"), ("敏", "min"), ("静", "jing"), ("丽", "li"),
    ("磊", "lei"), ("婷", "ting"), ("梓涵", "zihan"), ("雨桐", "yutong"), ("子轩", "zixuan"),
    ("浩然", "haoran"),
)  # fmt: skip
CITIES = ("London", "Manchester", "Leeds", "Bristol", "Glasgow", "Cardiff", "Belfast", "York")
CHINESE_CITIES = ("上海", "北京", "广州", "深圳", "杭州", "成都", "武汉", "西安")

ASPECTS = ("delivery", "quality", "price", "service")
PRAISE = (
    (("Came a day early, well packed.", "比预计早到一天，包装很好。"),
     ("Fast delivery, thank you.", "发货快，物流也快。")),
    (("Lovely quality, exactly as described.", "质量很好，和描述一样。"),
     ("Very well made, will order again.", "做工精细，会回购。")),
    (("Great value for the money.", "性价比很高，划算。"),
     ("Cheaper than elsewhere, and just as good.", "比别家便宜，一样好用。")),
    (("The shop answered within minutes.", "客服回复很快，态度好。"),
     ("Friendly help with my question.", "客服很耐心，解答清楚。")),
)  # fmt: skip
MILD = (
    (("Took a little longer than promised.", "比承诺的时间晚了一点。"),
     ("All right, but the courier was slow.", "还行，就是快递慢。")),
    (("All right, nothing special.", "一般般，没有惊喜。"),
     ("Does what it should.", "能用，中规中矩。")),
    (("A bit dear for what it is.", "有点小贵。"),
     ("Good, but I waited for a lower price.", "不错，要是再便宜点就好了。")),
    (("Had to ask twice for an answer.", "问了两次才回复。"),
     ("Service was fine.", "服务还可以。")),
)  # fmt: skip
BLAME = (
    (("A week late, and nobody told me.", "晚了一个星期，没人通知。"),
     ("Still waiting long after the promised day.", "超过承诺时间很久才到。")),
    (("Broke on the second day.", "用了两天就坏了。"),
     ("Much thinner than in the picture.", "比图片薄很多，质量差。")),
    (("Far too expensive for this.", "太贵了，不值这个价。"),
     ("Not worth the money.", "性价比太低。")),
    (("Nobody answered my messages.", "客服一直不回消息。"),
     ("Rude when I asked for a refund.", "申请退款时态度很差。")),
)  # fmt: skip
TICKETS = (
    ("Where is my parcel?", "我的包裹在哪里？"),
    ("It arrived broken", "收到的商品坏了"),
    ("Where is my refund?", "退款什么时候到账？"),
    ("Question about my order", "咨询订单问题"),
)
