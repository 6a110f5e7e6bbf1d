"""Words that documents are full of: names, places, articles, form fields, units, and the parts of made-up words."""

from __future__ import annotations


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


FIRST = _list(
    "James|Mary|John|Linda|David|Susan|Ahmad|Siti|Wei|Mei|Carlos|Ana|Ivan|Olga|Hiro|Yuki|Fatima|Omar|Priya|Raj|"
    "Anna|Lars|Emma|Noah|Chloe|Lucas|Sofia|Hugo|Nora|Adam|Grace|Peter|Alice|Kevin|Laura|Tan|Lim|Wong|Lee|Nurul|"
    "Farah|Zoe|Quinn|Xavier"
)
LAST = _list(
    "Smith|Johnson|Brown|Garcia|Miller|Davis|Lopez|Wilson|Moore|Taylor|Thomas|White|Harris|Clark|Lewis|Young|King|"
    "Wright|Scott|Green|Baker|Adams|Nelson|Hill|Tan|Lim|Wong|Chong|Abdullah|Ismail|Hassan|Kumar|Singh|Patel|Nguyen|"
    "Tran|Kim|Park|Sato|Suzuki|Novak|Kowalski|Ivanov|Petrov|Muller|Schmidt|Weber|Rossi|Bianchi|Dubois|Martin|"
    "Bernard|O'Brien|McDonald|Zhang|Wang|Li|Liu|Chen"
)
STREETS = _list(
    "Street|Road|Avenue|Lane|Drive|Boulevard|Court|Square|Way|St.|Rd|Ave.|Blvd|Hwy|Plaza|Close|Terrace|Park|"
    "Crescent|Gardens"
)
BEFORE = _list("Jalan|Lorong|Taman|Rue|Via|Calle|Jln|Persiaran|Bandar|Lot|Block|Blk|Unit|Suite|Level|No.|Kampung|Kg.")
CITIES = _list(
    "London|Paris|Berlin|Madrid|Rome|Vienna|Prague|Dublin|Oslo|Boston|Chicago|Dallas|Denver|Seattle|Houston|Austin|"
    "Toronto|Sydney|Perth|Auckland|Singapore|Jakarta|Manila|Bangkok|Penang|Melaka|Ipoh|Johor|Selangor|Kuala|Shah|"
    "Hanoi|Mumbai|Delhi|Tokyo|Osaka|Seoul|Lagos|Nairobi|Cairo|Lima|Bogota|Quito"
)
COMPANY = _list(
    "Ltd|Inc.|LLC|GmbH|Sdn Bhd|SDN. BHD.|S.A.|Co.|& Co.|& Sons|Group|Trading|Enterprise|Restaurant|Hardware|Mart|"
    "Pharmacy|Cafe|Store|Stationery|Bakery|Services|Holdings|Electronics|Motors|Supermarket|Books|Fashion|Hotel|"
    "Clinic|Machinery|Foods|Industries"
)
ITEMS = _list(
    "chicken|rice|fried|noodle|tea|coffee|milk|bread|butter|egg|fish|beef|soup|salad|cheese|pizza|burger|set|large|"
    "small|combo|ice|hot|cake|juice|orange|apple|water|mineral|soap|shampoo|tissue|battery|pen|paper|file|glue|"
    "tape|bag|plastic|cup|box|pack|bottle|cable|adapter|screw|bolt|paint|brush|pipe|valve|lamp|bulb|switch|socket|"
    "wire|cloth|shirt|shoes|pants|sugar|salt|oil|pepper|sauce|curry|prawn|mee|teh|kopi|nasi|goreng|ayam|roti|ikan|"
    "susu|kosong|ais|lime|honey|lemon|toast|sandwich|choc|vanilla|cookies|fresh|org"
)
FIELDS = _list(
    "Total|Subtotal|Sub Total|Cash|Change|Discount|Rounding|Rounding Adj|GST|GST 6%|SST|VAT|Tax|Tax Amount|"
    "Service Charge|Qty|Quantity|Price|Amount|Amount (RM)|Amt|Unit Price|Description|Item|Item Count|Invoice No|"
    "Inv No.|Receipt No|Bill No|Date|Time|Cashier|Counter|Table|Terminal|Trans No|Order No|Customer|Member ID|Tel|"
    "Fax|Phone|Email|Address|GST ID|GST No|Reg No|Co. Reg No|Ref|Reference|Payment|Visa|Master Card|Balance|Due|"
    "Deposit|Salesperson|Server|Name|Sex|Nationality|Date of Birth|Place of Birth|Issued|Expires|Valid Until|"
    "Passport No|ID No|Account|Account No|Branch|Bank|Signature|Remarks|Notes|Page|Room|Gate|Seat|Flight|Weight|"
    "Height|Size|Color|Model|Serial No|Batch|Exp|Mfg|Lot|Total Sales|Total (Inclusive of GST)|Total Amount|"
    "Net Total|Grand Total|Amount Due|Approval Code|Card No|Doc No.|Document No|User|Station|Pump|Litre|Point|"
    "Points Earned|Code|SR|ZRL|Tax Summary"
)
COURTESY = _list(
    "Thank you|Thank you, please come again|Have a nice day|Tax Invoice|Cash Receipt|Receipt|Invoice|"
    "Simplified Tax Invoice|Goods sold are not returnable|Goods sold are not refundable|Please keep this receipt|"
    "Welcome|Customer Copy|Merchant Copy|Official Receipt|No refund|Exchange within 7 days|Terima kasih|"
    "Sila datang lagi|Follow us on Facebook|Open daily|Closed on Monday|Sale|Bill|Guest Check|Take away|Dine in|"
    "Self collect|Duplicate|Void|Reprint|Cash sales|Delivery order|This is a computer generated invoice"
)
UNITS = _list(
    "kg|g|mg|lb|oz|km|m|cm|mm|ml|L|l|GB|MB|kB|TB|Hz|kHz|MHz|GHz|V|W|kW|A|mA|°C|%|px|pcs|pc|ea|h|min|s|ms|dB|rpm|"
    "mph|km/h"
)
MONTHS = _list("January|February|March|April|May|June|July|August|September|October|November|December")
CURRENCIES = _list("$|RM|USD |EUR |£|€|RM |S$|US$|-|-RM|Rp |¥|HK$|@ |$ ")
DOMAINS = _list("com|net|org|io|co.uk|com.my|gov|edu|info|de|fr|my|cn|jp|dev")
PUNCTUATED = _list(
    "({})|[{}]|\"{}\"|'{}'|{}!|{}?|{};|{}:|{}...|- {}|* {}|#{}|@{}|& {}|/{}/|{}/|<{}>|{{{}}}|{}={}|{}_{}|{}-{}|"
    "{}+{}|{}*|~{}|{}^2|`{}`|{}\\{}|${}|{}%|{}, {}|{}. {}|{} & {}|{}'s|({}:{})|{} ¦ {}|{}¦{}|¦{}¦|"
    ">> {}|{} --> {}|** {} **|== {} ==|{}://{}|[{}]({})|{}@{}|{}->{}|{} {}, {}|--{}"
)
SHORT = _list(
    "No|To|Of|Qty|ID|OK|A1|B2|N/A|XL|L|M|S|am|pm|in|cm|kg|RM|x1|x2|1.|2.|a)|b)|(1)|(a)|II|IV|1st|2nd|W|kW|V|mA|0%|5%"
)
ONSETS = _list(
    "b|c|d|f|g|h|j|k|l|m|n|p|r|s|t|v|w|y|z|bl|br|ch|cl|cr|dr|fl|fr|gl|gr|kn|ph|pl|pr|qu|sc|sh|sk|sl|sm|sn|sp|st|"
    "str|th|tr|wh"
)
NUCLEI = _list("a|e|i|o|u|a|e|i|o|ai|ea|ee|ie|oa|oo|ou|ay|y")
CODAS = _list("b|ck|d|f|g|l|ll|m|n|nd|ng|nt|p|r|rd|rn|rt|s|ss|st|t|th|x|")
COMMON = _list(
    "the|of|and|to|a|in|is|it|you|that|he|was|for|on|are|with|as|his|they|be|at|one|have|this|from|or|had|by|hot|"
    "but|some|what|there|we|can|out|other|were|all|your|when|up|use|word|how|said|an|each|she|which|do|their|time|"
    "if|will|way|about|many|then|them|would|write|like|so|these|her|long|make|thing|see|him|two|has|look|more|day|"
    "could|go|come|did|my|sound|no|most|number|who|over|know|water|than|call|first|people|may|down|side|been|now|"
    "find|any|new|work|part|take|get|place|made|live|where|after|back|little|only|round|man|year|came|show|every|"
    "good|me|give|our|under|name|very|through|just|form|much|great|think|say|help|low|line|before|turn|cause|same|"
    "mean|differ|move|right|boy|old|too|does|tell|sentence|set|three|want|air|well|also|play|small|end|put|home|"
    "read|hand|port|large|spell|add|even|land|here|must|big|high|such|follow|act|why|ask|men|change|went|light|"
    "kind|off|need|house|picture|try|us|again|animal|point|mother|world|near|build|self|earth|father|open|hotel|"
    "exit|street|market|office|school|sale|menu|price|free"
)
CHINESE_FIELDS = _list(
    "姓名|性别|民族|出生|住址|电话|地址|日期|时间|金额|合计|总计|单价|数量|编号|单位|名称|备注|收款人|开户行|账号|有效期|规格|型号"
)
CHINESE_UNITS = _list("元|元|个|件|台|公斤|克|吨|米|厘米|毫升|平方米|万元|℃|%|kg|g|ml|mm|cm")
ACCENTED = _list(
    "café|naïve|façade|résumé|crème|brûlée|château|garçon|forêt|hôtel|rôti|pâté|fête|élève|à|où|déjà|voilà|français|"
    "Île|Noël|cœur|été|première|sécurité|société|numéro|Müller|Jäger|Köln|Zürich|München|Größe|Straße|Übung|Öl|"
    "Äpfel|schön|für|über|Fußgänger|Schlüssel|Käse|Brötchen|Gebühr|niño|España|señor|año|mañana|jalapeño|piñata|"
    "corazón|camión|teléfono|dirección|información|público|México|Bogotá|Perú|São|pão|coração|informação|"
    "irmã|avó|avô|não|açúcar|città|perché|caffè|più|università|Málaga|Århus|Øresund|smørrebrød|blåbær|Ærø|Malmö|"
    "Göteborg|Ångström|þing|Ísafjörður|Reykjavík|ð|él|según|línea|óleo|último|pingüino|Français|Élysée|"
    "ÉCOLE|FAÇADE|NIÑOS|AÑO|GRÖSSE|ÖFFNUNG|ÜBER|À EMPORTER|ENTRÉE|SÃO|ÅBEN|MÉXICO"
)
