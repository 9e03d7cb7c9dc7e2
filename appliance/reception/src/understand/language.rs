//! Which language a message is written in.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::Language;
use super::vocabulary::Reading;

/// The language, or none if the words do not tell.
pub(super) fn language(reading: &Reading) -> Option<Language> {
    let (mut devanagari, mut hindi, mut english) = (0, 0, 0);
    for word in &reading.words {
        if word.folded.chars().any(|c| ('\u{900}'..='\u{97f}').contains(&c)) {
            devanagari += 1;
        } else if WORDS.0.contains(word.folded.as_str()) {
            hindi += 1;
        } else if WORDS.1.contains(word.folded.as_str()) {
            english += 1;
        }
    }
    // English words among Hindi ones are Hindi as it is spoken, and more often than not the verbs are Hindi.
    if devanagari > 0 && devanagari * 2 >= hindi + english {
        Some(Language::Hindi)
    } else if hindi > 0 && hindi * 3 >= english {
        Some(Language::Hinglish)
    } else if english > 0 {
        Some(Language::English)
    } else {
        None
    }
}

/// The words of both, for looking up.
static WORDS: LazyLock<(HashSet<&str>, HashSet<&str>)> =
    LazyLock::new(|| (HINDI.split_whitespace().collect(), ENGLISH.split_whitespace().collect()));

/// Words that only Hindi has, and that tell a Hindi sentence.
const HINDI: &str = "bhejo bhejna bolo aao lagao laga ruko chalega hua hui kripya mil jaye abe dono sath saath andar upar hai hain hoon hun hu ho hoga hogi honge tha thi ka ki ke ko kal parso parson aaj abhi kab kahan kaha kaise kya \
    kyun kyu kyon kaun kitna kitne kitni kaunsa konsa mujhe mujhko mujhse mera mere meri hume humko hamara hamare apna apne apni aap \
    aapka aapke aapki tum tumhara unka unke unki uska uske uski iska iske iski mein se tak liye lie wala wale wali aur lekin magar par nahi \
    nahin nhi mat karo karna karni karne kar karke kijiye karen kariye karwana karwani chahiye chahie chaiye lena leni dena dedo dijiye \
    haan han haanji ji theek thik sahi bilkul subah subha shaam sham dopahar raat baje bje saade sava paune dedh dhai din hafta hafte \
    mahina mahine agla agle agli pichla pehle pahle baad andar somvar somwar mangalvar budhvar guruvar shukravar shanivar ravivar itvar \
    beta bete beti biwi patni pati maa mata pita papa mummy bhai behan bachcha bache bachche dard bukhar khansi dawai dikhana milna batao bataiye \
    bata dikhao raha rahi rahe gaya gayi aana aaunga aaungi jaldi koi bhi kuch phir fir dobara madad baat rehne namaste namaskar shukriya \
    dhanyavad tarikh tareekh ek teen char paanch chhe saat aath nau das gyarah barah pehla doosra dusra doosri dusri teesra ankh haddi daant dil bachchon \
    badal badalna badalni hatao hata band chalu milega milegi jayega jayegi sakta sakti sakte chahta chahti yeh ye woh wo isko usko sirf bas bahut";

/// Words that only English has, and that tell an English sentence.
const ENGLISH: &str = "the a an i im my me we our you your is are am was were be will would could should can cant cannot do does did dont have has had \
    and or but if for of at on with from this that these those there what when where which who why how it its not no yes please want need like \
    to in by tomorrow today next after before any some next week day morning evening afternoon see make get give take tell show \
    talk speak change move book cancel reschedule appointment doctor thanks thank sorry help hello monday tuesday wednesday thursday friday saturday sunday \
    time date earliest available confirm visit slot first second third last one son daughter wife husband mother father new english";
