"""Word lists that customers, people and subjects are named from: eighteen languages in eleven scripts.

The lists are written for this project; every combination is made up. They are chosen to exercise search and sorting:
letters with marks, the Turkish dotted and dotless i, the Greek final sigma, the German sharp s, right-to-left scripts,
combining vowel signs, and scripts without case or blanks.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Locale:
    """One language. `name` puts together the name of a firm: first word, second word, legal form.

    `share` is how often it occurs, in parts of the sum of all shares.
    """

    code: str
    share: int
    country: str
    dialling_code: str
    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    forms: tuple[str, ...]
    given: tuple[str, ...]
    """Alternating: a woman's name, a man's name."""
    family: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]
    subjects: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split("|"))


LOCALES: tuple[Locale, ...] = (
    Locale(
        "en",
        26,
        "United Kingdom",
        "+44",
        "{} {} {}",
        first=_words(
            "Harbour Juniper Northgate Silverline Copperfield Bluebell Redwood Larkspur Stonebridge Evergreen Kestrel "
            "Amberley Foxglove Ironbridge Meadow O'Brien's"
        ),
        second=_phrases("Foods|Logistics|Tools|Energy|Interiors|Textiles|Robotics|Coffee|Marine|Print|Health|Media"),
        forms=_words("Ltd LLP plc"),
        given=_words("Amelia Oliver Grace Henry Isla Arthur Freya Noah Zoë Liam"),
        family=_words(
            "Ashworth Blackwood Carrington Dunmore Ellison Fairfax Godwin Hartley Ingram Kingsley O'Neill Ward"
        ),
        cities=_phrases("Bristol|Leeds|York|Newcastle upon Tyne"),
        streets=_phrases("Mill Lane|High Street|Station Road"),
        subjects=_phrases("Follow up on the offer|Arrange a visit|Check the delivery date"),
    ),
    Locale(
        "de",
        11,
        "Deutschland",
        "+49",
        "{} {} {}",
        first=_words(
            "Bergmann Grünwald Häußler Königs Löwen Morgenstern Nordlicht Östlinger Rheingold Süd Tannen Übersee Weiß "
            "Zirkel Straßen Adler"
        ),
        second=_phrases(
            "Bau|Technik|Werke|Möbel|Getränke|Maschinen|Energie|Logistik|Werkzeuge|Käserei|Glas|Medizintechnik"
        ),
        forms=_phrases("GmbH|AG|& Söhne KG"),
        given=_words("Käthe Jürgen Änne Björn Sabine Götz Ursula Thomas Heike Jörg"),
        family=_words("Müller Weiß Schäfer König Größ Jäger Vögele Krämer Böttcher Strauß Hübner Lößl"),
        cities=_phrases("München|Köln|Nürnberg|Gießen"),
        streets=_phrases("Goethestraße|Am Mühlbach|Rosenweg"),
        subjects=_phrases("Angebot nachfassen|Besuch vereinbaren|Rückfrage zur Lieferung klären"),
    ),
    Locale(
        "fr",
        9,
        "France",
        "+33",
        "{} {} {}",
        first=_words(
            "Étoile Hôtelière Beauséjour Clairière Forêt Lumière Marées Noël Océane Pâtissière Rivière Sérénité Trésor "
            "Vallée Garçon Cœur"
        ),
        second=_phrases(
            "du Midi|des Alpes|de l'Île|Énergie|Mécanique|Santé|Transports|Conseil|Céramique|Vignobles|Optique|Cuir"
        ),
        forms=_words("SA SARL SAS"),
        given=_words("Aurélie François Chloé Gaël Éloïse Jérôme Inès Benoît Maëlle Rémi"),
        family=_words("Lefèvre Dubois Gérard Noël Bénard Châtelain Desprès Françoise Guérin Héraud Lemaître Vallée"),
        cities=_phrases("Orléans|Besançon|Nîmes|Saint-Étienne"),
        streets=_phrases("rue de l'Église|avenue Foch|quai des Bateliers"),
        subjects=_phrases("Relancer l'offre|Préparer la réunion|Vérifier la date de livraison"),
    ),
    Locale(
        "es",
        9,
        "España",
        "+34",
        "{} {} {}",
        first=_words(
            "Añil Bahía Cigüeña Doñana Estación Fábrica Girasol Ibérica Jardín Ñandú Ópalo Peñón Río Sueño Túnel Volcán"
        ),
        second=_phrases(
            "Alimentación|Cerámica|Construcción|Diseño|Energía|Gestión|Logística|Máquinas|Óptica|Química|Viñedos|Turismo"
        ),
        forms=_phrases("S.A.|S.L.|e Hijos"),
        given=_words("Begoña Íñigo Lucía Andrés Sofía Óscar Inés Joaquín Núria Ramón"),
        family=_words("Muñoz Núñez Peña Álvarez Ibáñez Gómez Güell Marín Ordóñez Ruiz Sáez Zúñiga"),
        cities=_phrases("A Coruña|Cádiz|León|Logroño"),
        streets=_phrases("Calle Mayor|Paseo del Prado|Camino Viejo"),
        subjects=_phrases("Seguimiento de la oferta|Concertar una visita|Revisar el envío"),
    ),
    Locale(
        "pt",
        4,
        "Portugal",
        "+351",
        "{} {} {}",
        first=_words(
            "Açor Maré Coração Estação Fundação Lusã Manhã Órbita Pão Romã Serrão Tágide União Verão Irmãos Caravela"
        ),
        second=_phrases(
            "Alimentação|Calçado|Construções|Energia|Exportação|Mobiliário|Náutica|Óleos|Saúde|Têxteis|Turismo|Vinhos"
        ),
        forms=_phrases("Lda.|S.A.|& Filhos"),
        given=_words("Conceição João Inês Simão Luísa António Graça Sebastião Íris Mário"),
        family=_words(
            "Magalhães Conceição Simões Araújo Guimarães Leitão Brandão Falcão Lourenço Sequeira Avelãs Brito"
        ),
        cities=_phrases("Évora|Guimarães|Setúbal|Portimão"),
        streets=_phrases("Rua da Conceição|Avenida Atlântica|Largo do Pelourinho"),
        subjects=_phrases("Acompanhar a proposta|Marcar reunião|Confirmar a expedição"),
    ),
    Locale(
        "pl",
        5,
        "Polska",
        "+48",
        "{} {} {}",
        first=_words(
            "Błękit Ćma Dąb Gwiazda Jaśmin Kłos Łabędź Mróz Niedźwiedź Orzeł Śnieżka Świt Źródło Żubr Ptak Różaniec"
        ),
        second=_phrases(
            "Budownictwo|Części|Drukarnia|Energia|Handel|Łożyska|Maszyny|Narzędzia|Odzież|Przemysł|Usługi|Żywność"
        ),
        forms=_phrases("S.A.|sp. z o.o.|i Wspólnicy"),
        given=_words("Agnieszka Łukasz Małgorzata Paweł Żaneta Michał Bożena Święcisław Grażyna Józef"),
        family=_words("Wójcik Kowalczyk Zając Śliwa Żak Dąbrowski Pająk Król Gołąb Łuczak Szczęsny Wróbel"),
        cities=_phrases("Łódź|Kraków|Gdańsk|Częstochowa"),
        streets=_phrases("ul. Długa|ul. Łąkowa|Plac Wolności"),
        subjects=_phrases("Przypomnieć o ofercie|Umówić spotkanie|Sprawdzić dostawę"),
    ),
    Locale(
        "cs",
        4,
        "Česko",
        "+420",
        "{} {} {}",
        first=_words("Bříza Čáp Dvořiště Háj Jeřáb Křišťál Lípa Měsíc Ořech Pramen Řeka Sýkora Šípek Tůň Úsvit Žito"),
        second=_phrases(
            "stavby|stroje|sklo|pivovar|nábytek|doprava|energie|nářadí|potraviny|účetnictví|zdraví|železárny"
        ),
        forms=_phrases("a.s.|s.r.o.|k.s."),
        given=_words("Běla Jiří Květa Tomáš Růžena Zdeněk Šárka Luboš Žofie Ondřej"),
        family=_words("Dvořák Němec Kučera Růžička Šťastný Příhoda Říha Žižka Čermák Hájek Vaněk Kříž"),
        cities=_phrases("Plzeň|Třebíč|Ústí nad Labem|Žďár nad Sázavou"),
        streets=_phrases("Dlouhá|Na Příkopě|Školní"),
        subjects=_phrases("Připomenout nabídku|Domluvit schůzku|Ověřit dodávku"),
    ),
    Locale(
        "sv",
        4,
        "Sverige",
        "+46",
        "{} {} {}",
        first=_words(
            "Ängs Åkers Björk Dalälven Fjäll Grön Häggs Järn Köpings Långö Mälar Norrsken Öre Skär Tjärn Väst"
        ),
        second=_phrases("Bygg|El|Fisk|Glas|Hälsa|Järn|Kök|Maskin|Möbler|Skog|Transport|Verkstad"),
        forms=_phrases("AB|HB|& Söner AB"),
        given=_words("Åsa Björn Maj-Britt Håkan Ingrid Östen Linnéa Pär Märta Göran"),
        family=_words("Åberg Öberg Sjöström Ängquist Löfgren Nyström Håkansson Björklund Lindqvist Ståhl Söder Wåhlin"),
        cities=_phrases("Malmö|Västerås|Örebro|Åre"),
        streets=_phrases("Storgatan|Björkvägen|Hamnplan"),
        subjects=_phrases("Följ upp offerten|Boka besök|Kontrollera leveransen"),
    ),
    Locale(
        "tr",
        5,
        "Türkiye",
        "+90",
        "{} {} {}",
        first=_words("İnci Işık Çınar Doğuş Ege Gökçe Irmak İpek Kızılay Lâle Öncü Şafak Toros Üçgen Yıldız Zümrüt"),
        second=_phrases("Gıda|İnşaat|Lojistik|Makine|Mobilya|Otomotiv|Sağlık|Tekstil|Turizm|Yazılım|Çelik|Enerji"),
        forms=_phrases("A.Ş.|Ltd. Şti.|ve Oğulları"),
        given=_words("Işıl İlker Çiğdem Oğuz Şule Uğur Gülşah Ömer İpek Tarık"),
        family=_words("Yıldız Çelik Şahin Öztürk Kılıç Doğan Aydın Güneş İnan Işık Koç Sarı"),
        cities=_phrases("İstanbul|Diyarbakır|İzmir|Muğla"),
        streets=_phrases("Atatürk Caddesi|Çınar Sokak|İstiklal Yolu"),
        subjects=_phrases("Teklifi takip et|Ziyaret ayarla|Sevkiyatı doğrula"),
    ),
    Locale(
        "el",
        4,
        "Ελλάδα",
        "+30",
        "{} {} {}",
        first=_words(
            "Ήλιος Αιγαίο Βόρειος Γαλήνη Δάφνη Ερμής Ζέφυρος Θάλασσα Ιριδίζων Κύκλος Λευκός Μέλισσα Ναυτίλος Ορίζων "
            "Φάρος Ωκεανός"
        ),
        second=_phrases(
            "Τρόφιμα|Κατασκευές|Ναυτιλία|Ενέργεια|Υφάσματα|Μηχανές|Τουρισμός|Έπιπλα|Ελαιόλαδα|Μεταφορές|Υγεία|Εκδόσεις"
        ),
        forms=_phrases("Α.Ε.|Ε.Π.Ε.|& Υιός"),
        given=_words("Ελένη Γιώργος Αθηνά Νίκος Μαρία Σπύρος Ζωή Θανάσης Φωτεινή Χρήστος"),
        family=_words("Παπάς Οικονόμου Νικολάου Σαμαράς Αγγελής Δημάς Καραγιάννης Μάνος Ράπτης Τζανής Βλάχος Ζέρβας"),
        cities=_phrases("Θεσσαλονίκη|Πάτρα|Ηράκλειο|Βόλος"),
        streets=_phrases("Οδός Ερμού|Λεωφόρος Κηφισίας|Οδός Αθηνάς"),
        subjects=_phrases("Υπενθύμιση προσφοράς|Ορισμός επίσκεψης|Έλεγχος παράδοσης"),
    ),
    Locale(
        "ru",
        4,
        "Қазақстан",
        "+7",
        "{} «{} {}»",
        first=_words("ООО АО ИП Завод Группа Торговый Фабрика Бюро"),
        second=_words(
            "Берёза Весна Гранит Журавль Искра Йод Калина Метель Нева Рассвет Съёмка Тайга Уют Факел Чайка Ясень"
        ),
        forms=_phrases("Плюс|Сервис|и К°"),
        given=_words("Алёна Фёдор Наталья Юрий Ксения Семён Зоя Артём Ольга Игорь"),
        family=_words("Соловьёв Журавлёв Ковалёв Щукин Ершов Юдин Яковлев Чернов Эльдаров Морозов Лебедев Орлов"),
        cities=_phrases("Алматы|Шымкент|Қостанай|Өскемен"),
        streets=_phrases("улица Мира|проспект Абая|Садовая улица"),
        subjects=_phrases("Напомнить о предложении|Назначить встречу|Проверить отгрузку"),
    ),
    Locale(
        "uk",
        3,
        "Україна",
        "+380",
        "{} «{}» {}",
        first=_words("ТОВ ПП Фірма Завод Спілка Майстерня Пекарня Типографія"),
        second=_words(
            "Веселка Ґанок Джерело Єдність Жайвір Зірка Їжак Іскра Калина Лелека Мрія Промінь Світанок Щедрик Ялинка"
        ),
        forms=_phrases("Захід|Схід|і Ко"),
        given=_words("Оксана Сергій Єва Андрій Їлина Юрій Лариса Тарас Віра Ігор"),
        family=_words("Шевчук Ґудзь Єременко Іваньо Їжакевич Коваль Лисенко Мельник Олійник Поліщук Щербак Яремчук"),
        cities=_phrases("Київ|Львів|Харків|Чернівці"),
        streets=_phrases("вулиця Франка|проспект Миру|Соборна площа"),
        subjects=_phrases("Нагадати про пропозицію|Домовитися про зустріч|Перевірити доставку"),
    ),
    Locale(
        "ar",
        4,
        "مصر",
        "+20",
        "{2} {0} {1}",
        first=_words("النور الأمل الواحة النخيل الفجر الصقر البحر اللؤلؤة الهلال الياسمين الريحان الزيتون"),
        second=_phrases("للأغذية|للبناء|للتجارة|للطاقة|للنقل|للأثاث|للنسيج|للسياحة|للصحة|للتقنية|للزراعة|للطباعة"),
        forms=_phrases("شركة|مؤسسة|مجموعة"),
        given=_words("ليلى أحمد فاطمة يوسف نور خالد سلمى عمر هدى حسن"),
        family=_words("الحداد النجار القاضي الخطيب الشامي المصري العطار البنا الصباغ الفارس الرفاعي الحكيم"),
        cities=_phrases("القاهرة|الإسكندرية|أسوان|المنصورة"),
        streets=_phrases("شارع النيل|شارع الحرية|ميدان الأوبرا"),
        subjects=_phrases("متابعة العرض|تحديد موعد زيارة|التحقق من الشحنة"),
    ),
    Locale(
        "he",
        2,
        "ישראל",
        "+972",
        "{} {} {}",
        first=_words("אור ברוש גלים דקל הדר ורד זית חצב טל יונה כוכב לבונה"),
        second=_phrases("מזון|בנייה|אנרגיה|תעשיות|הובלות|רהיטים|טקסטיל|תיירות|בריאות|תוכנה|דפוס|כלים"),
        forms=_phrases('בע"מ|ובניו|שותפות'),
        given=_words("יעל דוד נועה איתן תמר משה שירה אורי מיכל יוסף"),
        family=_words("כהן לוי מזרחי פרץ אברהם פרידמן שפירא דיין אלון ברק גולן הראל"),
        cities=_phrases("חיפה|באר שבע|נתניה|טבריה"),
        streets=_phrases("רחוב הרצל|שדרות רוטשילד|רחוב הגפן"),
        subjects=_phrases("מעקב אחר ההצעה|תיאום ביקור|בדיקת המשלוח"),
    ),
    Locale(
        "hi",
        4,
        "भारत",
        "+91",
        "{} {} {}",
        first=_words("सूर्या गंगा कमल हिमालय आशा चंद्र मोती नीलम पूर्णिमा रश्मि शांति उदय"),
        second=_phrases("खाद्य|निर्माण|ऊर्जा|परिवहन|वस्त्र|मशीनरी|पर्यटन|स्वास्थ्य|तकनीक|मुद्रण|कृषि|इस्पात"),
        forms=_phrases("प्रा. लि.|उद्योग|एंड संस"),
        given=_words("प्रिया अर्जुन अनीता विक्रम नेहा राहुल कविता संजय मीरा रोहन"),
        family=_words("शर्मा वर्मा गुप्ता सिंह मिश्रा चौधरी त्रिपाठी यादव जोशी पाण्डेय श्रीवास्तव कृष्णन"),
        cities=_phrases("दिल्ली|वाराणसी|जयपुर|लखनऊ"),
        streets=_phrases("गांधी मार्ग|स्टेशन रोड|नेहरू नगर"),
        subjects=_phrases("प्रस्ताव पर पूछें|भेंट तय करें|सुपुर्दगी जाँचें"),
    ),
    Locale(
        "zh",
        5,
        "台灣",
        "+886",
        "{}{}{}",
        first=_words("東方 星辰 金龍 白雲 長江 綠洲 海天 明月 瑞雪 春風 福星 和平"),
        second=_words("食品 建設 能源 物流 機械 紡織 旅遊 醫療 科技 印刷 農業 鋼鐵"),
        forms=_words("有限公司 股份公司 集團"),
        given=_words("美玲 志明 淑芬 建國 雅婷 俊傑 怡君 文豪 佳穎 冠宇"),
        family=_words("陳 林 黃 張 李 王 吳 劉 蔡 楊 許 鄭"),
        cities=_phrases("臺北市|高雄市|臺中市|花蓮縣"),
        streets=_phrases("中山路|民權東路|成功街"),
        subjects=_phrases("跟進報價|安排拜訪|確認交貨日期"),
    ),
    Locale(
        "ja",
        5,
        "日本",
        "+81",
        "{2}{0}{1}",
        first=_words("さくら 朝日 富士 みどり 青葉 山手 ひかり 若松 千鳥 つばめ 桐生 海風"),
        second=_words("食品 建設 エネルギー 運輸 製作所 テキスタイル 観光 メディカル システム 印刷 農園 ガラス"),
        forms=_words("株式会社 有限会社 合同会社"),
        given=_words("陽子 健太 さくら 大輔 美咲 翔 恵 誠 あかり 拓海"),
        family=_words("佐藤 鈴木 高橋 田中 渡辺 伊藤 中村 小林 加藤 吉田 山本 斎藤"),
        cities=_phrases("札幌市|金沢市|神戸市|那覇市"),
        streets=_phrases("中央通り|桜町一丁目|港二丁目"),
        subjects=_phrases("見積りの確認|訪問の調整|納期の確認"),
    ),
    Locale(
        "ko",
        4,
        "대한민국",
        "+82",
        "{2} {0}{1}",
        first=_words("한빛 새벽 무궁화 푸른 해맑은 동백 은하 두루미 한강 솔향 나래 가온"),
        second=_words("식품 건설 에너지 물류 기계 섬유 관광 의료 기술 인쇄 농업 제철"),
        forms=_words("주식회사 (주) 유한회사"),
        given=_words("지우 민준 서연 도윤 하은 시우 수아 지호 예린 현우"),
        family=_words("김 이 박 최 정 강 조 윤 장 임 한 오"),
        cities=_phrases("서울|부산|대구|제주"),
        streets=_phrases("세종대로|한강로|중앙로"),
        subjects=_phrases("견적 확인|방문 일정 잡기|납품일 확인"),
    ),
)
