//! Spellings of people: relations, titles, specialities in laymen's words, complaints that lead to one.

use super::super::Relation as R;
use super::Meaning::{Birth, Complaint, For, My, NameIs, Relation, Specialty as Sp, Title};
use super::Specialty as S;
use super::Table;

/// A speciality, by the field's English word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the speciality it says")]
pub(in super::super) enum Specialty {
    GeneralMedicine,
    Cardiology,
    Orthopaedics,
    Dermatology,
    Paediatrics,
    Dentistry,
    Ophthalmology,
    Gynaecology,
    Otorhinolaryngology,
    Neurology,
    Psychiatry,
    Gastroenterology,
    Urology,
    Nephrology,
    Pulmonology,
    Endocrinology,
    Oncology,
    Physiotherapy,
    Surgery,
    Dietetics,
    Ayurveda,
    Homeopathy,
    Radiology,
}

impl Specialty {
    /// The English word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GeneralMedicine => "general medicine",
            Self::Cardiology => "cardiology",
            Self::Orthopaedics => "orthopaedics",
            Self::Dermatology => "dermatology",
            Self::Paediatrics => "paediatrics",
            Self::Dentistry => "dentistry",
            Self::Ophthalmology => "ophthalmology",
            Self::Gynaecology => "gynaecology",
            Self::Otorhinolaryngology => "otorhinolaryngology",
            Self::Neurology => "neurology",
            Self::Psychiatry => "psychiatry",
            Self::Gastroenterology => "gastroenterology",
            Self::Urology => "urology",
            Self::Nephrology => "nephrology",
            Self::Pulmonology => "pulmonology",
            Self::Endocrinology => "endocrinology",
            Self::Oncology => "oncology",
            Self::Physiotherapy => "physiotherapy",
            Self::Surgery => "surgery",
            Self::Dietetics => "dietetics",
            Self::Ayurveda => "ayurveda",
            Self::Homeopathy => "homeopathy",
            Self::Radiology => "radiology",
        }
    }
}

/// People.
pub(super) const TABLE: Table = &[
    (
        Relation(R::Myself),
        "for_me for_myself myself mere_liye mere_lie mere_khud apne_liye khud_ke_liye khud me_only self for_self mujhe_hi meri_hi mera_hi only_me just_me मेरे_लिए मेरे_लिये अपने_लिए खुद_के_लिए its_for_me",
    ),
    (Relation(R::Wife), "wife wifes biwi bivi patni gharwali missus mrs_ki पत्नी बीवी घरवाली"),
    (Relation(R::Husband), "husband husbands hubby pati shohar gharwale पति शौहर"),
    (Relation(R::Son), "son sons beta bete ladka ladke munna बेटा बेटे लड़के लड़का"),
    (Relation(R::Daughter), "daughter daughters beti betiya ladki munni बेटी लड़की"),
    (
        Relation(R::Child),
        "child kid kids children childs baby babys infant toddler newborn bachcha bachche bacha bache bachhe bachha baccha bacche bachi bachchi bacchi बच्चा बच्चे बच्ची बच्चों",
    ),
    (
        Relation(R::Mother),
        "mother mothers mom moms mum mummy mumma mama_ji_nahi maa ma_ji maaji ammi amma mata mata_ji mataji मां माँ मम्मी माता अम्मी अम्मा माताजी",
    ),
    (
        Relation(R::Father),
        "father fathers dad dads daddy papa pita pitaji pita_ji abbu abba baba babuji bapu पिता पापा पिताजी अब्बू बाबूजी",
    ),
    (Relation(R::Brother), "brother brothers bhaiya bhai bro भाई भैया"),
    (Relation(R::Sister), "sisters behan bahan behen bahen didi behna बहन दीदी"),
    (Relation(R::Sister), "my_sister sister_in_law for_sister"),
    (Relation(R::Grandmother), "grandmother grandma granny dadi nani daadi naani दादी नानी"),
    (
        Relation(R::Grandfather),
        "grandfather grandpa dada_ji dadaji nana_ji nanaji dada nana दादा नाना दादाजी नानाजी",
    ),
    (
        Relation(R::New),
        "new_patient new_person naya_patient naye_patient nayi_patient naya_mareez naya_mariz naye_mareez someone_new somebody_new नया_मरीज नया_मरीज़ नए_मरीज नए_मरीज़ नई_मरीज नई_मरीज़",
    ),
    (
        Relation(R::Other),
        "uncle aunt aunty auntie chacha chachi mama mami mausi bua fufa cousin nephew niece friend friends dost neighbour neighbor padosi saas sasur mother_in_law father_in_law bhabhi jija devar nanad relative family_member parents someone_else somebody_else kisi_aur kisi_aur_ke_liye another_person grandson granddaughter pota poti चाचा चाची मामा मामी मौसी बुआ दोस्त सास ससुर भाभी किसी_और",
    ),
    (For, "for"),
    (
        My,
        "my mera mere meri mri apna apne apni hamare hamari humare humari our hamara मेरा मेरे मेरी अपना अपने अपनी हमारे हमारी",
    ),
    (
        Title,
        "dr drs doctor docter doctr docor dactor daktar doktar doktor daaktar daktarsahab prof professor vaidya hakim doctor_sahab dr_sahab doctor_saab डॉक्टर डाक्टर डॉ डा वैद्य",
    ),
    (
        Birth,
        "born birth dob d_o_b birthdate birth_date date_of_birth birthday janm janam janamdin janmdin janm_tithi janam_tithi paida janm_tarikh janam_tarikh जन्म जन्मतिथि जन्म_तिथि जन्मदिन पैदा",
    ),
    (
        NameIs,
        "my_name_is name_is myself_is mera_naam naam_hai mera_nam mara_naam mera_name naam nam name patient_name patient_ka_naam the_name_is her_name_is his_name_is unka_naam uska_naam iska_naam this_is i_am im मेरा_नाम नाम उनका_नाम उसका_नाम मरीज_का_नाम",
    ),
    (
        Sp(S::GeneralMedicine),
        "physician general_physician gp general_practitioner general_medicine family_doctor family_medicine general_doctor medicine_doctor internal_medicine mbbs md_medicine general_wale samanya general_opd फिजिशियन जनरल_फिजिशियन सामान्य_चिकित्सक जनरल",
    ),
    (
        Complaint(S::GeneralMedicine),
        "fever viral bukhar bukhaar bukar cough cold khansi khaansi khasi jukam zukam jukaam zukaam sardi weakness kamzori kamjori body_pain badan_dard flu headache sir_dard sar_dard sirdard sardard बुखार खांसी जुकाम सर्दी कमजोरी सिरदर्द सिर_दर्द बदन_दर्द",
    ),
    (
        Sp(S::Cardiology),
        "cardiologist cardiology cardio cardiac heart heart_doctor heart_specialist heart_wale dil dil_ka dil_ke dil_ka_doctor dil_ke_doctor hriday bp_doctor दिल हृदय कार्डियोलॉजिस्ट हार्ट",
    ),
    (Complaint(S::Cardiology), "high_bp blood_pressure palpitations dhadkan bp_high"),
    (
        Sp(S::Orthopaedics),
        "orthopaedics orthopedics orthopaedic orthopedic orthopaedist orthopedist ortho bone bones bone_doctor haddi haddi_wale haddi_wala haddi_ka haddi_ke haddiyo haddiyon hadi joint_specialist joints joint jodo jodon हड्डी हड्डियों जोड़ों ऑर्थो हड्डी_वाले",
    ),
    (
        Complaint(S::Orthopaedics),
        "fracture knee knee_pain ghutna ghutne ghutno ghutnon back_pain backache kamar kamar_dard joint_pain jodo_me_dard jodon_mein_dard shoulder_pain neck_pain gardan sprain moch slipped_disc घुटने घुटनों कमर जोड़ों_में_दर्द मोच फ्रैक्चर",
    ),
    (
        Sp(S::Dermatology),
        "dermatologist dermatology derma skin skin_doctor skin_specialist skin_wale skin_wala chamdi chamri tvacha twacha hair_doctor skin_and_hair त्वचा चमड़ी स्किन",
    ),
    (
        Complaint(S::Dermatology),
        "acne pimples pimple rash rashes hair_fall hairfall hair_loss eczema khujli itching daad daane muhase baal_jhad fungal_infection मुंहासे खुजली दाने बाल_झड़",
    ),
    (
        Sp(S::Paediatrics),
        "paediatrics pediatrics paediatrician pediatrician paediatric pediatric paeds peds child_specialist child_doctor kids_doctor childrens_doctor children_doctor baby_doctor child_care bachcho_ka_doctor bachchon_ka_doctor bachon_ka_doctor bacho_ka_doctor baccho_ka_doctor bacchon_ka_doctor bachcho_ke_doctor bachchon_ke_doctor bachon_ke_doctor bacho_ke_doctor baccho_ke_doctor bacchon_ke_doctor bachcho_wale_doctor bachchon_wale bacho_wale bache_ka_doctor bachche_ka_doctor bachhe_ka_doctor bacche_ke_doctor बच्चों_का_डॉक्टर बच्चों_के_डॉक्टर बच्चों_वाले बाल_रोग शिशु_रोग पीडियाट्रिशियन",
    ),
    (
        Sp(S::Dentistry),
        "dentist dentistry dental tooth teeth tooth_doctor teeth_doctor daant dant danto daanto daanton danton dato daant_wale dant_wale dant_chikitsak दांत दाँत दांतों डेंटिस्ट डेंटल दंत",
    ),
    (
        Complaint(S::Dentistry),
        "toothache tooth_ache tooth_pain cavity root_canal rct dant_dard daant_dard daant_me_dard dant_me_dard braces gums masude दांत_दर्द दांत_में_दर्द",
    ),
    (
        Sp(S::Ophthalmology),
        "ophthalmologist ophthalmology eye eyes eye_doctor eye_specialist ankh aankh ankho aankho ankhon aankhon aankh_wale ankh_wale netra आंख आँख आंखों आँखों नेत्र",
    ),
    (
        Complaint(S::Ophthalmology),
        "cataract motiyabind spectacles chashma specs glasses_number vision मोतियाबिंद चश्मा",
    ),
    (
        Sp(S::Gynaecology),
        "gynaecologist gynecologist gynaecology gynecology gynae gyne gyno gynec gynaec lady_doctor ladies_doctor lady_dr ladies_dr mahila_doctor mahila_chikitsak obstetrics obstetrician obgyn ob_gyn stri_rog stree_rog women_doctor womens_doctor auraton_ki_doctor लेडी_डॉक्टर महिला_डॉक्टर स्त्री_रोग गायनेकोलॉजिस्ट महिला_चिकित्सक",
    ),
    (
        Complaint(S::Gynaecology),
        "pregnant pregnancy periods period_problem menses garbhavati garbhwati delivery pcos pcod mahwari mahavari गर्भवती प्रेगनेंसी माहवारी",
    ),
    (
        Sp(S::Otorhinolaryngology),
        "ent e_n_t ent_specialist otolaryngology otorhinolaryngology ear_nose_throat ear_nose_and_throat ear_doctor throat_doctor nose_doctor kaan_naak_gala naak_kaan_gala kan_nak_gala nak_kan_gala kaan_ka_doctor kaan_ke_doctor kan_ka_doctor gale_ka_doctor gale_ke_doctor naak_ka_doctor कान_नाक_गला नाक_कान_गला कान_के_डॉक्टर कान_का_डॉक्टर ईएनटी",
    ),
    (
        Complaint(S::Otorhinolaryngology),
        "earache ear_pain kaan_dard kaan_me_dard kan_me_dard throat_pain sore_throat gala_kharab gale_me_dard gale_mein_dard sinus tonsils tonsil कान_में_दर्द गले_में_दर्द गला_खराब",
    ),
    (
        Sp(S::Neurology),
        "neurologist neurology neuro neuro_doctor brain_doctor brain_specialist dimag_ka_doctor dimag_ke_doctor naso_ka_doctor nas_ka_doctor nerve_doctor न्यूरोलॉजिस्ट न्यूरो दिमाग_के_डॉक्टर",
    ),
    (Complaint(S::Neurology), "migraine epilepsy mirgi vertigo chakkar चक्कर मिर्गी माइग्रेन"),
    (
        Sp(S::Psychiatry),
        "psychiatrist psychiatry psychologist psychology counsellor counselor counselling counseling mental_health manochikitsak mansik_rog therapist मनोचिकित्सक मनोरोग मानसिक",
    ),
    (
        Complaint(S::Psychiatry),
        "depression anxiety stress tension depressed neend_nahi_aati insomnia तनाव डिप्रेशन",
    ),
    (
        Sp(S::Gastroenterology),
        "gastroenterologist gastroenterology gastro gastro_doctor stomach_doctor stomach_specialist pet_ka_doctor pet_ke_doctor pet_wale liver_doctor liver_specialist पेट_के_डॉक्टर पेट_का_डॉक्टर गैस्ट्रो",
    ),
    (
        Complaint(S::Gastroenterology),
        "stomach_pain stomach_ache stomachache pet_dard pet_me_dard pet_mein_dard acidity gas_problem kabz constipation loose_motion loose_motions dast ulti vomiting पेट_दर्द पेट_में_दर्द कब्ज उल्टी दस्त एसिडिटी",
    ),
    (
        Sp(S::Urology),
        "urologist urology uro urine_doctor peshab_ka_doctor peshab_ke_doctor यूरोलॉजिस्ट",
    ),
    (Complaint(S::Urology), "kidney_stone stone_problem pathri prostate पथरी"),
    (
        Sp(S::Nephrology),
        "nephrologist nephrology nephro kidney_doctor kidney_specialist kidney gurde_ka_doctor gurda किडनी गुर्दा गुर्दे",
    ),
    (
        Sp(S::Pulmonology),
        "pulmonologist pulmonology chest_specialist chest_physician chest_doctor lung lungs lung_doctor phephde fefde tb_doctor फेफड़े फेफड़ों",
    ),
    (Complaint(S::Pulmonology), "asthma dama wheezing दमा अस्थमा"),
    (
        Sp(S::Endocrinology),
        "endocrinologist endocrinology diabetologist diabetes_doctor sugar_doctor sugar_ka_doctor sugar_ke_doctor diabetes_specialist thyroid_doctor hormone_doctor शुगर_के_डॉक्टर",
    ),
    (Complaint(S::Endocrinology), "diabetes sugar thyroid madhumeh शुगर थायराइड मधुमेह डायबिटीज"),
    (Sp(S::Oncology), "oncologist oncology cancer_doctor cancer_specialist cancer कैंसर_के_डॉक्टर कैंसर"),
    (Sp(S::Physiotherapy), "physiotherapist physiotherapy physio fijiyo फिजियोथेरेपी फिजियो"),
    (
        Sp(S::Surgery),
        "surgeon surgery general_surgeon general_surgery surgical operation_wale_doctor सर्जन सर्जरी",
    ),
    (Complaint(S::Surgery), "piles bawaseer bavasir hernia appendix gallstone बवासीर हर्निया"),
    (
        Sp(S::Dietetics),
        "dietician dietitian nutritionist nutrition diet_doctor dietetics डाइटिशियन",
    ),
    (Sp(S::Ayurveda), "ayurveda ayurvedic ayurved vaid आयुर्वेद आयुर्वेदिक"),
    (Sp(S::Homeopathy), "homeopathy homeopath homeopathic homoeopathy homoeopathic होम्योपैथी"),
    (Sp(S::Radiology), "radiology radiologist रेडियोलॉजी"),
];
