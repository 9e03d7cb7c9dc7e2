# रिसेप्शन जो कहता है, हिंदी में। चुनने वाले शीर्षक अधिकतम 20 अक्षर के हैं।

greeting = नमस्ते! यह { $clinic } का ऑटोमैटिक सहायक है।
menu = मैं आपकी क्या मदद करूँ?
menu-label = चुनें
menu-book = अपॉइंटमेंट लें
menu-mine = मेरे अपॉइंटमेंट
menu-move = समय बदलें
menu-cancel = रद्द करें
menu-queue = मेरा नंबर कब आएगा
menu-desk = डेस्क से बात करें

yes = हाँ
no = नहीं
choose = चुनें
restart = फिर से शुरू करें
more-times = बाद के समय
other-day = दूसरा दिन
other-time = दूसरा समय
other-doctor = दूसरे डॉक्टर
any-doctor = कोई भी डॉक्टर
somebody-new = किसी और के लिए
leave-it = रहने दें
will-come = हाँ, आना है
join-waitlist = प्रतीक्षा सूची

not-understood = माफ़ कीजिए, यह समझ नहीं आया।
several-people = इस नंबर पर कई लोग हैं। कृपया नाम चुनें।
reply-by-number = माफ़ कीजिए, अब भी समझ नहीं आया। कृपया इनमें से कोई नंबर भेजें।
words-only = यहाँ केवल लिखे हुए संदेश पढ़े जा सकते हैं।
about-your-call = आपने अभी हमें फ़ोन किया था। यहाँ आगे बढ़ते हैं।
still-there = क्या आप अब भी यहाँ हैं?
take-your-time = ज़रूर, आराम से बताइए।
back-to-it = { $what ->
    [book] अब बुकिंग पर वापस आते हैं।
    [move] अब अपॉइंटमेंट बदलने पर वापस आते हैं।
    [cancel] अब अपॉइंटमेंट रद्द करने पर वापस आते हैं।
    [confirm] अब अपॉइंटमेंट की पुष्टि पर वापस आते हैं।
    [my-appointments] अब अपॉइंटमेंट पर वापस आते हैं।
    [where-in-queue] अब कतार में जगह पर वापस आते हैं।
    [join-waitlist] अब प्रतीक्षा सूची पर वापस आते हैं।
   *[other] अब आगे बढ़ते हैं।
 }
dropped = ठीक है, इसे यहीं छोड़ते हैं।
started-again = ठीक है, शुरू से।
here-again = ऑटोमैटिक सहायक फिर से यहाँ है।
welcome = आपका स्वागत है!
out-of-date = यह विकल्प अब पुराना हो गया है।

ask-doctor = आप किस डॉक्टर को या किस विभाग में दिखाना चाहते हैं?
ask-which-doctor = आप किस डॉक्टर की बात कर रहे हैं?
ask-doctor-of = { $specialty } के लिए आप किस डॉक्टर को दिखाना चाहते हैं?
no-such-doctor = इस नाम के कोई डॉक्टर हमारे यहाँ नहीं हैं।
ask-day = { $doctor } के पास इन दिनों समय ख़ाली है। कौन सा दिन ठीक रहेगा?
ask-day-any = इन दिनों समय ख़ाली है। कौन सा दिन ठीक रहेगा?
ask-part = { $day } को किस समय?
part-morning = सुबह
part-afternoon = दोपहर
part-evening = शाम
part-night = रात
ask-time = { $day } को { $doctor } के पास ये समय ख़ाली हैं। कौन सा चाहिए?
ask-time-any = { $day } को ये समय ख़ाली हैं। कौन सा चाहिए?
day-over = { $day } बीत चुका है।
no-such-specialty = हमारे यहाँ { $specialty } नहीं है।
day-not-free = { $day } को कोई समय ख़ाली नहीं है।
time-not-free = { $day } को { $time } ख़ाली नहीं है। सबसे पास के ख़ाली समय:
days-not-free = उन दिनों कोई समय ख़ाली नहीं है।
ask-other-time = ये समय ख़ाली हैं। कौन सा चाहिए?
part-not-free = { $day } को उस पहर कुछ ख़ाली नहीं है।
nothing-free = अगले { $days } दिनों में कोई समय ख़ाली नहीं है।
nothing-free-list = अगले { $days } दिनों में कोई समय ख़ाली नहीं है, पर प्रतीक्षा सूची है।
slot-taken = माफ़ कीजिए, वह समय अभी-अभी किसी और ने ले लिया।
doctor-changed = तो { $doctor } के साथ।

ask-whom = अपॉइंटमेंट किसके लिए है?
ask-name = मरीज़ का पूरा नाम क्या है?
not-a-name = कृपया केवल नाम लिखें।
ask-birth = { $name } की जन्मतिथि क्या है? जैसे 2-5-1984।
not-a-birth = यह जन्मतिथि समझ नहीं आई।
ask-phone = क्लिनिक आपसे किस मोबाइल नंबर पर बात करे?
ask-known-phone = क्लिनिक में आपका कौन सा मोबाइल नंबर लिखा है?
not-a-phone = यह फ़ोन नंबर समझ नहीं आया।
ask-known-birth = और आपकी जन्मतिथि? जैसे 2-5-1984।

book-confirm =
    कृपया जाँच लें:
    { $name }
    { $doctor }
    { $day }, { $time }
    क्या मैं इसे बुक कर दूँ?
book-confirm-service =
    कृपया जाँच लें:
    { $name }
    { $service }, { $doctor }
    { $day }, { $time }
    क्या मैं इसे बुक कर दूँ?
booked = बुक हो गया: { $name }, { $doctor }, { $day }, { $time }।
qr = क्लिनिक पहुँचकर नीचे का कोड कियोस्क पर दिखाएँ।
double-booked = { $name } का उस समय पहले से एक अपॉइंटमेंट है।
maybe-on-record = शायद यह नाम क्लिनिक में पहले से दर्ज है। हमारी डेस्क देखकर आपको यहीं जवाब देगी।
what-else = क्या बदलना है? डॉक्टर, दिन या समय लिखें, या "रद्द" लिखें।

move-confirm =
    कृपया जाँच लें:
    { $name }, { $doctor }
    { $oldday }, { $oldtime } से
    { $day }, { $time } पर
    क्या मैं समय बदल दूँ?
moved = समय बदल गया: { $name }, { $doctor }, अब { $day }, { $time }।
cancel-confirm = क्या { $name } का { $doctor } के साथ { $day }, { $time } का अपॉइंटमेंट रद्द कर दूँ?
cancelled = अपॉइंटमेंट रद्द हो गया है।
kept = ठीक है, अपॉइंटमेंट वैसा ही रहेगा।
confirm-confirm = क्या { $name } { $day }, { $time } को { $doctor } के पास आएँगे?
confirmed = धन्यवाद! { $name } का { $day }, { $time } को इंतज़ार रहेगा।
too-late = वह अपॉइंटमेंट अब बदला नहीं जा सकता।

ask-move-or-cancel = आप दूसरा समय चाहते हैं या इसे रद्द कर दूँ?
ask-whose = यह किसके बारे में है?
ask-proof = आपकी जानकारी की सुरक्षा के लिए: मरीज़ का जन्म किस साल हुआ था?
proof-wrong = यह हमारे रिकॉर्ड से मेल नहीं खाता।
not-proven = पहचान पक्की हुए बिना रिकॉर्ड यहाँ नहीं दिखाया जा सकता। हमारी डेस्क आपकी मदद करेगी।
not-on-record = इससे हमारे रिकॉर्ड में कोई नहीं मिला।
ask-which-appointment = कौन सा अपॉइंटमेंट?
no-appointments = { $name } का कोई आने वाला अपॉइंटमेंट नहीं मिला।
appointments = { $name } के आने वाले अपॉइंटमेंट:
appointment-line = { $day }, { $time }: { $doctor }

queue-none = { $name } आज कतार में नहीं हैं। पहुँचकर कोड से चेक-इन कर लें।
queue-called = टोकन { $token } बुलाया जा चुका है। कृपया अंदर जाएँ।
queue-place = टोकन { $token }: { $ahead ->
    [0] अब आपकी बारी है।
    [one] आपसे पहले { $ahead } व्यक्ति है।
   *[other] आपसे पहले { $ahead } लोग हैं।
 }
queue-minutes = लगभग { $minutes } मिनट लगेंगे।
checked-in = आपका चेक-इन हो गया है।
not-checked-in = इस कोड से चेक-इन नहीं हो पाया। यहाँ यह मुलाक़ात से एक घंटा पहले से, क्लिनिक पहुँचकर चलता है; हमारी डेस्क मदद करेगी।
ask-service = किस मुलाक़ात के लिए?
no-instructions = { $service } के लिए कोई ख़ास तैयारी नहीं करनी है।

faq-none = इसका जवाब मेरे पास नहीं है। क्या मैं डेस्क से पूछूँ?
faq-left = ठीक है, और क्या मदद करूँ?

waitlist-ask = क्या { $name } का नाम प्रतीक्षा सूची में लिख दूँ?
waitlist-ask-doctor = क्या { $doctor } के लिए { $name } का नाम प्रतीक्षा सूची में लिख दूँ?
waitlisted = लिख लिया है। समय ख़ाली होते ही हम आपको लिखेंगे।
waitlist-left = ठीक है, प्रतीक्षा सूची में नहीं लिखा।

handed-over = मैंने यह हमारी डेस्क को दे दिया है। वे आपको यहीं जवाब देंगे।
desk-phone = आप { $phone } पर फ़ोन भी कर सकते हैं।
not-done = यह नहीं हो पाया। मैंने हमारी डेस्क को देखने के लिए कहा है।
heard-late = हमारा कनेक्शन कुछ समय बंद था, इसलिए आपका संदेश हमें अभी मिला है। हमारा डेस्क आपको यहीं जवाब देगा।
away = आपका संदेश मिल गया है। अभी सहायक का क्लिनिक से संपर्क नहीं है; क्लिनिक आपको जवाब देगा।
late-noted = धन्यवाद। मैंने डेस्क को बता दिया है कि आपको देर होगी।
away-lent = अभी क्लिनिक से संपर्क नहीं है, इसलिए कुछ ही समय मिल सकते हैं।
emergency = अगर यह इमरजेंसी है, तो कृपया अभी { $numbers } पर फ़ोन करें। यहाँ जवाब का इंतज़ार न करें।
emergency-plain = अगर यह इमरजेंसी है, तो कृपया अभी एम्बुलेंस बुलाएँ। यहाँ जवाब का इंतज़ार न करें।
emergency-phone = क्लिनिक: { $phone }।
remind = { $name } जी, { $clinic } में { $doctor } के साथ आपका अपॉइंटमेंट { $day } को { $time } है।
remind-to-confirm = { $name } जी, { $clinic } में { $doctor } के साथ आपका अपॉइंटमेंट { $day } को { $time } है। आएँगे तो हाँ लिखें, या बताएँ कि क्या बदलना है।
write-back = यह { $clinic } है। हमारे पास आपके लिए एक संदेश है। कृपया यहाँ जवाब दें, ताकि हम आपको लिख सकें।
emergency-desk = मैंने हमारी डेस्क को भी बता दिया है।
or = { $one } या { $other }

email-subject = { $clinic } का संदेश
email-unread = इस ई-मेल के जवाब नहीं पढ़े जाते।
email-phone = कृपया { $phone } पर फ़ोन करें।

waitlist-offer = { $name } जी, { $clinic } में { $doctor } के साथ एक समय खाली हुआ है: { $day }, { $time }। क्या आपको यह चाहिए? कृपया { $until } तक हाँ या नहीं लिखें।
waitlist-yes = हाँ, बुक करें
waitlist-no = नहीं, धन्यवाद
offer-left = ठीक है। आपका नाम प्रतीक्षा सूची में बना रहेगा।

stopped = अब हम आपको बिना माँगे कोई संदेश नहीं भेजेंगे। फिर से पाने के लिए START लिखें।
allowed = धन्यवाद। अब आपको हमारे संदेश फिर से मिलेंगे।
language-set = ठीक है, हिंदी में।
ask-language = आप किस भाषा में बात करना चाहेंगे?
language-name = हिंदी

today = आज
tomorrow = कल
day-long = { $weekday }, { $day } { $month }
day-short = { $weekday } { $day } { $month }
birth-long = { $day } { $month } { $year }
clock = { $part ->
    [dawn] रात
    [morning] सुबह
    [afternoon] दोपहर
    [evening] शाम
   *[night] रात
 } { $hour }:{ $minute } बजे
weekday-1 = सोमवार
weekday-2 = मंगलवार
weekday-3 = बुधवार
weekday-4 = गुरुवार
weekday-5 = शुक्रवार
weekday-6 = शनिवार
weekday-7 = रविवार
weekday-short-1 = सोम
weekday-short-2 = मंगल
weekday-short-3 = बुध
weekday-short-4 = गुरु
weekday-short-5 = शुक्र
weekday-short-6 = शनि
weekday-short-7 = रवि
month-1 = जनवरी
month-2 = फ़रवरी
month-3 = मार्च
month-4 = अप्रैल
month-5 = मई
month-6 = जून
month-7 = जुलाई
month-8 = अगस्त
month-9 = सितंबर
month-10 = अक्टूबर
month-11 = नवंबर
month-12 = दिसंबर
month-short-1 = जन॰
month-short-2 = फ़र॰
month-short-3 = मार्च
month-short-4 = अप्रैल
month-short-5 = मई
month-short-6 = जून
month-short-7 = जुल॰
month-short-8 = अग॰
month-short-9 = सित॰
month-short-10 = अक्टू॰
month-short-11 = नव॰
month-short-12 = दिस॰
