//! Spellings of yes and no, of languages, questions, danger, insults, and of words that say nothing.

use super::super::Language as L;
use super::Meaning::{
    Abuse, Also, And, Any, Breath, But, Chest, Correction, Earlier, Emergency, Filler, Language,
    Later, Nahi, No, Not, Or, Pain, Question, Topic, Trouble, Wait, Yes,
};
use super::{Table, Topic as T};

/// Answers, courtesies and the small words.
pub(super) const TABLE: Table = &[
    (
        Yes,
        "yes y ya yaa yah yeah yea yep yup yess s_please sure ok okay oky okey okk k kk fine alright right correct agreed absolutely definitely of_course ofcourse perfect haan han ha haa haji haanji hanji haan_ji han_ji ji_haan ji_han jee_haan ji jee hn hmm_ok theek_hai thik_hai theek_h thik_h thik thk theek tik_hai tike sahi sahi_hai sahi_h bilkul zaroor zarur jaroor jarur done chalega chalegi chaega ho_jayega kar_do kardo kar_dijiye kardijiye kar_dijie kar_den pakka manzoor manjur why_not sure_why_not kyun_nahi kyu_nahi kyon_nahi no_problem no_issue no_issues koi_baat_nahi go_ahead please_do sounds_good that_works works_for_me book_it great 👍 👌 ✅ ✔ हां हाँ जी_हां जी_हाँ हां_जी हाँजी जी ठीक_है ठीक सही सही_है बिल्कुल बिलकुल ज़रूर जरूर ओके चलेगा कर_दो कर_दीजिए करदो पक्का क्यों_नहीं यस thats_right thats_correct that_is_correct yes_please हो_जाएगा कोई_बात_नहीं",
    ),
    (
        No,
        "nahi_chalega nahi_chalegi नहीं_चलेगा no n nope nah naa na noo no_thanks no_thank_you galat wrong incorrect not_really bilkul_nahi ji_nahi jee_nahi nahi_ji nope_not ना न जी_नहीं नहीं_जी गलत बिल्कुल_नहीं 👎 ❌ नो",
    ),
    (
        Nahi,
        "nahi_chalega nahi_chalegi नहीं_चलेगा chhod_ke chhodke chhodkar chod_ke chodkar ke_alawa ke_siva छोड़कर छोड़_कर के_अलावा के_सिवा nahi nahin nhi nai nahee nahii nhin nai_ji ni mat naa_karo नहीं नही मत नहि",
    ),
    (
        Not,
        "except except_for other_than but_not cant cannot not dont do_not doesnt didnt cant_you never no_need no_need_to dnt donot wont without stop_the isnt is_not arent wasnt shouldnt havent have_not rather_not",
    ),
    (
        Filler,
        "not_sure not_yet dont_know do_not_know pata_nahi nahi_pata maloom_nahi no_idea dont_remember not_sure_about yaad_nahi पता_नहीं मालूम_नहीं याद_नहीं not_only no_one never_before hi_nahi_mil cant_find could_not couldnt not_able not_able_to unable_to",
    ),
    (
        And,
        "and aur or_phir and_then then also plus phir fir tatha evam aur_phir और फिर तथा एवं & saath_hi",
    ),
    (
        But,
        "but instead rather just lekin magar par_abhi balki kintu parantu bas only लेकिन मगर बल्कि बस परंतु par_ab",
    ),
    (Or, "or ya yaa_phir ya_phir ya_fir athva या अथवा"),
    (
        Correction,
        "sorry actually wait_no i_mean i_meant i_said matlab mera_matlab nahi_nahi nahi_nahin no_no no_wait oops correction galti galti_se instead instead_of rather ki_jagah ke_bajay ke_bajaye ki_bajay ke_badle badal_ke change_to change_it_to change_the_time change_the_day change_the_date change_the_doctor make_it make_that switch_to change_time change_day change_date change_doctor time_change day_change date_change doctor_change time_badal din_badal doctor_badal tarikh_badal time_badlo samay_badal की_जगह के_बजाय मतलब मेरा_मतलब माफ_कीजिए नहीं_नहीं गलती_से समय_बदल दिन_बदल डॉक्टर_बदल तारीख_बदल समय_बदलो time_badalna samay_badalna समय_बदलना",
    ),
    (Also, "also and_also as_well too one_more another_one saath_me saath_mein bhi भी साथ_में और_एक"),
    (
        Wait,
        "wait no_wait wait_no please_wait wait_please pls_wait wait_a_minute wait_a_sec one_sec one_second one_minute one_min one_moment 1_sec 1_second 1_min 1_minute 2_min 2_mins 2_minutes 5_min 5_mins 5_minutes two_minutes two_mins five_minutes a_minute a_moment just_a_minute just_a_sec just_a_second just_a_moment give_me_a_minute give_me_a_moment give_me_a_sec hold_on hang_on let_me_check let_me_think let_me_see let_me_ask i_will_check ill_check i_will_think ill_think get_back_to_you come_back_to_you let_you_know tell_you_later call_you_later will_call_later i_will_call will_call_you ek_min ek_minute ek_minat ek_sec ek_second ek_pal do_minute do_min ruko rukiye rukna ruk_jao ruk_jaiye thoda_ruko zara_ruko soch_ke soch_kar sochkar sochne_do sochna_padega sochta_hu sochta_hoon sochti_hu sochti_hoon puch_ke puchkar puch_kar pooch_ke poochkar poochh_kar check_karke dekh_ke dekhkar batata_hu batata_hoon batata_hun batati_hu batati_hoon batati_hun bataunga bataungi एक_मिनट एक_सेकंड दो_मिनट रुको रुकिए रुकिये सोचकर सोच_कर सोचने_दो पूछकर पूछ_कर देखकर बताता_हूँ बताती_हूँ बताऊँगा बताऊँगी",
    ),
    (
        Earlier,
        "earlier a_bit_earlier bit_earlier little_earlier before_that thoda_pehle thoda_pahle thoda_jaldi thodi_jaldi uske_pehle usse_pehle usse_pahle isse_pehle isse_pahle थोड़ा_पहले उससे_पहले इससे_पहले",
    ),
    (
        Later,
        "later a_bit_later bit_later little_later after_that thoda_baad thoda_baad_me thoda_baad_mein uske_baad usse_baad iske_baad थोड़ा_बाद थोड़ा_बाद_में उसके_बाद इसके_बाद",
    ),
    (
        Any,
        "any anyone anybody any_doctor any_time anytime any_day anyday anything any_one any_of_them either either_one whichever whatever no_preference doesnt_matter does_not_matter koi_bhi koi_sa_bhi kisi_bhi kisi_se_bhi kabhi_bhi kbhi_bhi kabhi kuch_bhi jo_bhi jo_bhi_ho jab_bhi kisi_bhi_din koi_bhi_din koi_bhi_doctor kisi_bhi_doctor kisi_bhi_time koi_bhi_time farak_nahi_padta fark_nahi_padta koi_farak_nahi up_to_you you_decide aap_batao jo_available_ho कोई_भी कभी_भी किसी_भी कुछ_भी जो_भी कोई_सा_भी फर्क_नहीं_पड़ता",
    ),
    (Language(L::English), "english angrezi angreji inglish eng अंग्रेजी अंग्रेज़ी इंग्लिश"),
    (Language(L::Hindi), "hindi hindhi हिंदी हिन्दी"),
    (Language(L::Hinglish), "hinglish हिंग्लिश"),
    (
        Question,
        "need_to_know want_to_know like_to_know what whats when where which who whom whose why how can_i can_you could_you do_you does are_you is_there are_there may_i shall_i should_i can_we could_we kya kaise kaisa kab kahan kaha kidhar kaun kon kaunsa konsa kaunse kaunsi kitna kitne kitni kyun kyu kyon kisko is_it will_there क्या कैसे कब कहाँ कहां किधर कौन कौनसा कौन_सा कितना कितने कितनी क्यों किस",
    ),
    (
        Topic(T::Greet),
        "gud_mrng gd_mrng gud_evening gud_afternoon hi hii hello helo hey heya hlo hllo hullo namaste namasthe namaskar namaskaar pranam salaam salam assalamualaikum adaab good_morning good_afternoon good_evening gud_morning gm good_day ram_ram jai_shri_ram sat_sri_akal vanakkam नमस्ते नमस्कार प्रणाम हेलो हैलो हाय राम_राम सलाम suprabhat शुभ_प्रभात",
    ),
    (
        Topic(T::Thanks),
        "thanks thank_you thankyou thanku thank_u thx thnx thnks tnx ty dhanyavad dhanyawad dhanyavaad dhanyawaad shukriya sukriya thanks_a_lot many_thanks meherbani 🙏 धन्यवाद शुक्रिया थैंक्यू थैंक_यू",
    ),
    (
        Topic(T::Bye),
        "bye byebye bye_bye goodbye good_bye good_night gud_night see_you alvida phir_milenge tata अलविदा फिर_मिलेंगे बाय",
    ),
    (
        Filler,
        "raste_me raste_mein raaste_me raaste_mein on_the_way on_my_way रास्ते_में cancel_ho_gaya cancel_ho_gayi cancel_hua cancel_hui got_cancelled got_canceled was_cancelled was_canceled been_cancelled रद्द_हो_गया रद्द_हो_गई both dono दोनों ab अब please pls plz plzz plss kindly kripya krupya kripaya sir sirji madam maam mam bhai_sahab bhaiya_ji ji_please the a an it this_one that that_one to_me i me you u we is are be will would should could can i_want_to ko ka ki ke hai h hain ho hoon hun hu par pe pr on of with my_only mein_hi main mai mujhe muje mujhko hume humko hame aap tum karo kare karen karein kr kro krdo karna krna karke karni karne karwana karwani karvana dena de dijiye dijie dedo do_na na_please ek_baar kya_aap wala wale wali vala vale vali option number no_dot choice select choose pick go_with okay_then hai_kya chalo acha accha achha achchha theek_hai_ji so well then_please was_wondering कृपया प्लीज सर मैडम को का की के है हैं हो हूं हूँ पर मैं मुझे मुझको हमें हमको आप करो करें करना करनी करने करवाना देना दे दो_ना दीजिए वाला वाले वाली नंबर विकल्प अच्छा चलो एक_बार the_one one_please",
    ),
];

/// Danger to life, and insults.
pub(super) const DANGER: Table = &[
    (
        Emergency,
        "dying mar_raha_hu mar_rahi_hu khoon_ki_ulti khun_ki_ulti vomiting_blood coughing_blood coughing_up_blood खून_की_उल्टी emergency emergancy emergncy ambulance ambulence 🆘 🚑 sos chest_pain pain_in_chest pain_in_my_chest pain_in_the_chest chest_is_paining heart_attack heartattack difficulty_breathing difficulty_in_breathing trouble_breathing breathing_problem hard_to_breathe breathless breathlessness short_of_breath choking unconscious fainted collapsed unresponsive bleeding_heavily heavy_bleeding severe_bleeding lot_of_blood bleeding_a_lot wont_stop_bleeding stroke paralysis paralysed seizure seizures convulsions having_fits had_a_fit accident poison poisoned poisoning overdose suicide suicidal kill_myself want_to_die end_my_life snake_bite snakebite snake_bit burnt_badly severe_burns electric_shock drowning head_injury water_broke waters_broke labour_pain labor_pain seene_me_dard seene_mein_dard sine_me_dard sine_mein_dard seene_me_bahut_dard chhati_me_dard chhati_mein_dard chati_me_dard chaati_mein_dard chest_me_pain chest_mein_pain chest_me_dard chest_mein_dard dil_ka_daura dil_ka_dora heart_attack_aaya dam_ghut behosh behos behoshi hosh_nahi hosh_me_nahi hosh_nhi khoon_beh khoon_bah khun_beh khoon_nahi_ruk khun_nahi_ruk khoon_ruk_nahi bahut_khoon bahut_khun daura_pad dora_pad daure_pad lakwa lakva zeher zehar jahar jaher khudkushi aatmahatya marna_chahta marna_chahti saanp_ne sanp_ne saamp_ne jal_gaya jal_gayi current_laga current_lag_gaya sar_phat sir_phat aapatkal apatkal aapatkaleen आपातकाल आपातकालीन इमरजेंसी इमर्जेंसी एम्बुलेंस एंबुलेंस सीने_में_दर्द सीने_में_बहुत_दर्द सीने_में_तेज_दर्द छाती_में_दर्द छाती_में_तेज_दर्द छाती_में_बहुत_दर्द दिल_का_दौरा हार्ट_अटैक दम_घुट बेहोश खून_बह खून_नहीं_रुक बहुत_खून दौरा_पड़ लकवा जहर ज़हर आत्महत्या खुदकुशी मरना_चाहता मरना_चाहती सांप_ने साँप_ने जल_गया जल_गई करंट_लग एक्सीडेंट दुर्घटना severe_chest_pain",
    ),
    (
        Abuse,
        "idiot idiots stupid bastard asshole fuck fucking fucker fuckoff bitch moron bloody_fool shit bullshit bewakoof bewkoof bevkuf chutiya chutiye chutia madarchod behenchod bhenchod bhosdike gandu harami haramkhor haramzada kamina kamine kutte_kamine saala saale sala randi बेवकूफ चूतिया मादरचोद बहनचोद हरामी कमीने कमीना साला गांडू",
    ),
    (Chest, "chest seene sine seena chhati chati chaati chaathi सीने सीना छाती"),
    (
        Pain,
        "pain paining pains hurts hurting hurt dard drd tightness pressure discomfort jakdan dabav दर्द जकड़न भारीपन",
    ),
    (Breath, "breathe breathing breath breaths saans sans saansen sance सांस साँस"),
    (
        Trouble,
        "cant cannot can_not unable_to not_able_to trouble difficulty difficult problem hard taklif takleef dikkat pareshani phool phul ful ruk rukh atak तकलीफ दिक्कत परेशानी फूल रुक अटक",
    ),
];

/// Words that stand as they are, though a slip away from known ones.
pub(super) const LEFT_ALONE: &str = "khana khane khaana khaane kahan kahin kahi tires shots checks locate currently spending nutritional garden arrive charged being healthy questions steak theres changes delivered \
    chili chilis pasta salad broken master wanting stuff sound shipped electrical connection forgot smart sauce rated fried alter redemption machine guide bacon pause \
    donut banana small phones numbers issued stars sixty seventy eighty ninety scale randy prime prevent president possibly manual inspection hobby difference decreased \
    curry correctly closet chess anyway woken wipes threw swift chase wheres cannon bands lungi stove baare bare saare sare sarey beach maine baki baaki bhaari bhari padne padna padega cooking tarah chats chat stock punch paani pani doori tarika shehar shahar \
    street react sport sports paint plains thand thanda pandora saari saara karane karana bachne there these those their where were three later latter lately house horse mouth \
    money monthly weekly daily matter better letter little thing think thanks thought through though tough trough nothing something \
    clean close cloth class clear cheap check cheek chair chain change charge chance cheese great green group \
    paper party place plate plane plain plant point power press price print prize proof proud pound phone photo piece pizza \
    light night right might sight fight tight eight weight height heart heard hearts heath health earth early yearly \
    would could should world words woman women watch water waste wrong write wrote white while whole whose \
    about above abroad across again ahead alarm album alone along among angry apple apply april asked asking \
    bring break bread brand brave black blank block board books booth boxes built build buyer \
    under until upper usual sleep sleeping sheet short shirt shift ship shop shoes shows \
    table taken takes talks tasks taste teach temple tests texts timer title total touch tower track trade train treat trial tried truck trust truth \
    state start stage stand staff store story storm study style sugar suite super sweet \
    first final files films finds fixed floor focus force forms forth forty found frame fresh front fruit funny \
    hotel hours human humor ideal image index inner issue items join joined judge juice \
    large laugh layer learn lease least leave legal level limit lines links lists lived liver lives local logic loose lower lucky lunch \
    major maker march match maybe mayor means meant meets metal meter minor mixed model money moral motor mount mouse movie music \
    never newly noise north noted novel nurse ocean offer often older opera order other ought \
    chalu chale chalta chalti chahta chahti chahte karta karti karte karke karun karoon kiske kiska kiski unka unke unki inka inke inki \
    jaise jaisa jaisi vaise waise aisa aise aisi apka apke apki aapka aapke aapki tumhara tumhare tumhari \
    bahut bohot bahot thoda thodi thode zyada jyada sabhi sabko sirf accha achhi acchi bolna bolo bataye batao bataiye batana bataen batayein \
    milega milegi milenge milta rahega rahegi raha rahi rahe hoga hogi honge hota hoti hote jaana jaaye jayega jayegi jayenge lekar leke \
    saath sath pehle pahle baadme wahan yahan vahan idhar udhar upar neeche niche andar bahar paas \
    paisa paise rupaye rupees ghar ghare dukan bazaar bazar gadi school college office \
    calls called calling caller email emails texted month message messages messaged \
    alarms alarm timers timer remind reminder reminders reminded weather playlist song songs radio video videos event events traffic \
    nearby nearer nearest closer closest reach reached reading ready really reason recent record region regular relax";

/// Names that are right as they stand, though a slip away from known words.
pub(super) const NAMES: &str = "seema sarah steven texas spain sharma verma varma gupta mehta mishra singh kumar kumari reddy patel shah khan ansari siddiqui iyer nair menon pillai \
    anita sunita kavita savita rajesh rakesh mukesh suresh ramesh mahesh dinesh naresh priya pooja neha sneha rahul rohit amit sumit";
