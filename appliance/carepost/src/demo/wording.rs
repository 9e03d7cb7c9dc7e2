//! What the made-up clinic says: answers to what is often asked, texts at hand for the desk, and what to know before a
//! visit.

use prm::db::Tx;
use prm::error::Result;
use prm::id::HealthcareServiceId;
use prm::stamp::Stamp;
use prm::{canned_answer, faq, patient_instruction};

/// Questions by language, and the answer to them.
const FAQS: &[(&str, &[&str], &str)] = &[
    (
        "en",
        &["What are your timings?", "When are you open?", "Are you open on Sunday?"],
        "We are open every day. General medicine is there from 8 am to 8 pm, on Sunday until 2 pm, and casualty day and night.",
    ),
    ("en", &["Where can I park?", "Is there parking?"], "Behind the house, two hours are free."),
    (
        "en",
        &[
            "Where are you?",
            "What is your address?",
            "Where are you located?",
            "How do I reach the clinic?",
        ],
        "12 Temple Road, opposite the post office.",
    ),
    (
        "en",
        &["Do you take insurance?", "Is it cashless?", "Do you accept Ayushman Bharat?"],
        "Yes, please bring your card and an identity with your photo. The desk tells you what is covered.",
    ),
    (
        "hi",
        &["आपका समय क्या है?", "क्लिनिक कब खुलता है?", "क्या रविवार को खुला है?"],
        "हम हर दिन खुले हैं। सामान्य चिकित्सा सुबह 8 से रात 8 बजे तक, रविवार को दोपहर 2 बजे तक, और आपातकालीन सेवा दिन-रात।",
    ),
    (
        "en",
        &["What is the fee?", "How much does a consultation cost?", "What are your charges?"],
        "A consultation is 500 rupees; a second one within a week is free.",
    ),
    (
        "hi",
        &["फ़ीस कितनी है?", "परामर्श कितने का है?"],
        "परामर्श 500 रुपये का है; एक हफ़्ते के अंदर दूसरी बार मुफ़्त।",
    ),
    ("hi", &["पार्किंग कहाँ है?", "गाड़ी कहाँ खड़ी करें?"], "इमारत के पीछे, दो घंटे मुफ़्त।"),
];

/// Texts at hand: the title, the language, the words.
const CANNED: &[(&str, &str, &str)] = &[
    (
        "Running late",
        "en",
        "Dear { $patient }, { $doctor } is late today. Please come a little after { $time }.",
    ),
    (
        "Report is ready",
        "en",
        "Dear { $patient }, your report is ready. You can collect it at our desk, { $clinic }.",
    ),
    ("रिपोर्ट तैयार", "hi", "{ $patient } जी, आपकी रिपोर्ट तैयार है। इसे हमारी डेस्क से ले सकते हैं।"),
];

/// What to know before a scan, and before a vaccination, by language.
const BEFORE_A_SCAN: &[(&str, &str)] = &[
    (
        "en",
        "Please eat nothing for four hours before the scan. Water is fine. Bring earlier reports.",
    ),
    ("hi", "स्कैन से चार घंटे पहले कुछ न खाएँ। पानी पी सकते हैं। पुरानी रिपोर्ट साथ लाएँ।"),
];
const BEFORE_A_VACCINATION: &[(&str, &str)] =
    &[("en", "Please bring the vaccination card."), ("hi", "कृपया टीकाकरण कार्ड साथ लाएँ।")];

/// Adds all of it.
pub(super) fn write(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (scan, vaccination): (HealthcareServiceId, HealthcareServiceId),
) -> Result<()> {
    for (language, questions, answer) in FAQS {
        let questions = questions.iter().map(|it| (*it).to_owned()).collect();
        let (language, answer) = ((*language).to_owned(), (*answer).to_owned());
        faq::add(tx, stamp, faq::Addition { language, questions, answer })?;
    }
    for (title, language, text) in CANNED {
        let (title, language) = ((*title).to_owned(), (*language).to_owned());
        let addition = canned_answer::Addition { title, language, text: (*text).to_owned() };
        canned_answer::add(tx, stamp, addition)?;
    }
    for (service, texts) in [(scan, BEFORE_A_SCAN), (vaccination, BEFORE_A_VACCINATION)] {
        for (language, text) in texts {
            patient_instruction::add(tx, stamp, (service, language), text)?;
        }
    }
    Ok(())
}
