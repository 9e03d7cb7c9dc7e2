//! Spellings of what people ask for.

use super::Meaning::Topic as M;
use super::Table;
use super::requests::Topic as T;

/// What somebody speaks of. Rules of [`super::super::request`] make intents of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Topic {
    /// A visit: appointment, booking.
    Appointment,
    /// To book, said outright.
    Book,
    /// To see a practitioner.
    See,
    /// To want, to need, to take.
    Want,
    /// To move to another time, said outright.
    Move,
    /// To change something.
    Change,
    /// A time, a day.
    When,
    /// To call off.
    Cancel,
    /// To leave what is under way.
    Leave,
    /// To confirm.
    Confirm,
    /// To come.
    Come,
    /// Not to be able to come.
    CannotCome,
    /// To be late.
    Late,
    /// The queue, one's turn.
    Queue,
    /// How long, how many.
    HowLong,
    /// To be there.
    Arrived,
    /// To check in.
    CheckIn,
    /// What to bring, eat or do.
    Prepare,
    /// Fees.
    Fee,
    /// Hours.
    Hours,
    /// The way, the address, parking.
    Place,
    /// Anything else that is asked about: insurance, reports, payment.
    Matter,
    /// To be told when something becomes free.
    Waitlist,
    /// A human.
    Human,
    /// To speak.
    Talk,
    /// To stop messages, said outright.
    Stop,
    /// To end something.
    End,
    /// Messages.
    Messages,
    /// Messages again.
    Allow,
    /// To begin again.
    StartOver,
    /// The question before.
    Back,
    /// To say again.
    Repeat,
    /// Other choices.
    More,
    /// What can be done.
    Help,
    /// A greeting.
    Greet,
    /// Thanks.
    Thanks,
    /// A farewell.
    Bye,
    /// Free, in the house.
    Free,
    /// To show, to tell.
    Show,
    /// The clinic.
    Clinic,
    /// The practitioner, without a name.
    Practitioner,
    /// To have, to exist.
    Have,
}

/// What people ask for.
pub(super) const TABLE: Table = &[
    (
        M(T::Appointment),
        "appointment appointments appoinment appointmnt apointment appt appts apptt apt booking bookings reservation reservations slot slots visit checkup check_up consultation consult apointmant apaintment apointement opd_number अपॉइंटमेंट अपॉइन्टमेंट अपॉईंटमेंट अपोइंटमेंट अप्वाइंटमेंट अपाइंटमेंट अपॉइंट्मेंट बुकिंग स्लॉट चेकअप",
    ),
    (
        M(T::Book),
        "book booked booking_karni booking_karna schedule fix reserve arrange set_up make_an_appointment make_appointment get_an_appointment get_appointment take_an_appointment take_appointment new_appointment another_appointment fresh_appointment number_lagana number_laga number_lagwana number_lagwa number_lagvana nambar_lagana nambar_laga nambar_lagwana naya_appointment nayi_appointment appointment_le_lo number_likhwana number_likha naam_likhwana naam_likha naam_likh parchi_katwani parchi_banwani buk बुक नंबर_लगाना नंबर_लगा नंबर_लगवाना नम्बर_लगाना नाम_लिखवाना नाम_लिखा पर्चा_बनवाना बुकिंग_करनी",
    ),
    (
        M(T::See),
        "see meet milna milwana milvana dikhana dikhani dikhaana dikha dikhane dikhwana dikhvana dekhana visit_doctor show_to consult_with get_checked checkup_karwana checkup_karana check_karwana check_karana jaanch_karani ilaj_karwana ilaaj मिलना दिखाना दिखाने दिखवाना दिखा इलाज चेक_करवाना",
    ),
    (
        M(T::Want),
        "want wants needs need wanna require would_like id_like i_would_like looking_for like_to wish chahiye chahie chahiyen chaiye chahye chaie chiye chaahiye chahiye_tha chahta_hu chahta_hun chahti_hu chahti_hun chahta chahti chahte lena leni lene le_lo lelo lagana lagani mil_jayega mil_jayegi mil_sakta mil_sakti mil_sakega milega milegi mil_jaye mil_jaaye mile dilwa dilao dila dijiyega give_me get_me give get have_to i_have_to चाहिए चाहिये चाहता चाहती चाहते लेना लेनी लगाना मिलेगा मिलेगी मिल_सकता मिल_सकती मिल_जाएगा मिल_जाएगी मिले दिला दिलवा",
    ),
    (
        M(T::Move),
        "reschedule reshedule rescheduled rescheduling re_schedule postpone postponed prepone preponed shift shifted move moved push push_back push_to bring_forward time_change_karna time_change_karni date_change_karni date_change_karna aage_badha aage_badhana aage_badhao aage_kar aage_karna aage_karo aage_karwana pehle_karwana pichhe_kar peeche_kar another_time_for_my different_time_for_my din_badalna time_badalna tarikh_badalna tareekh_badalna samay_badalna rishedul shift_karna आगे_बढ़ा आगे_बढ़ाना आगे_बढ़ाओ आगे_कर आगे_करना रीशेड्यूल रिशेड्यूल शिफ्ट समय_बदलना समय_बदल तारीख_बदलना तारीख_बदल दिन_बदलना टाल पोस्टपोन",
    ),
    (
        M(T::Change),
        "change_it change_to change_it_to change_the_time change_the_day change_the_date change_the_doctor change_time change_day change_date change_doctor change changed changing modify edit update badal badalna badlna badalni badlo badalwana badlwana badalo badal_do bdalna chenj चेंज बदल बदलना बदलनी बदलो बदलवाना",
    ),
    (
        M(T::When),
        "when time timing date day what_time samay waqt kab kab_ki kab_ka kab_hai din_kaunsa kitne_baje samay_kya कब समय कितने_बजे टाइम वक्त",
    ),
    (
        M(T::Cancel),
        "cancel cancle cancell cencel cansel kensal kencel cancelled canceled cancelling canceling cancellation call_off radd rad_kar rad_karna radd_kar radd_karna delete remove drop_my khatam_kar hata_do hatado hata_dijiye रद्द रद कैंसिल कैंसल केंसल कैन्सल हटा_दो हटा_दीजिए",
    ),
    (
        M(T::Leave),
        "never_mind nevermind nvm forget_it forget_about_it leave_it let_it_be leave_that rehne_do rehnedo rahne_do rahnedo rehne_dijiye rahne_dijiye rhne_do rehne_de chhodo chodo chhod_do chhor_do chod_do jane_do jaane_do jane_dijiye exit quit abort cancel_this not_now abhi_nahi abhi_nhi later_maybe maybe_later some_other_time baad_me baad_mein baad_me_karta baad_mein_karunga phir_kabhi not_interested रहने_दो रहने_दीजिए छोड़ो छोड़_दो जाने_दो अभी_नहीं फिर_कभी बाद_में_करूंगा not_anymore",
    ),
    (
        M(T::Confirm),
        "confirm confirmed confirming conform confirmation i_will_come ill_come will_be_there ill_be_there i_will_be_there will_come coming_for i_am_coming im_coming aaunga aaungi aunga aungi aa_jaunga aa_jaungi aa_jayenge aayenge main_aaunga aa_raha_hu aa_rahe_hai aa_raha_hun zaroor_aaunga pakka_aaunga see_you_then see_you_tomorrow कन्फर्म कंफर्म आऊंगा आऊँगा आऊंगी आऊँगी आ_जाऊंगा आ_जाऊंगी आएंगे",
    ),
    (
        M(T::Come),
        "come coming aana aau aaun aa_jau aa_jaun aa_sakta aa_sakte aa_sakti aa_jaye आना आऊं आ_जाऊं आ_सकता आ_सकते",
    ),
    (
        M(T::CannotCome),
        "cant_come cannot_come can_not_come cant_make_it cannot_make_it wont_be_able_to_come wont_be_coming not_coming wont_come will_not_come not_able_to_come unable_to_come unable_to_make cant_attend cannot_attend wont_make_it cant_reach not_be_able_to_come will_not_be_able_to cant_visit couldnt_come i_am_not_coming nahi_aa_paunga nahi_aa_paungi nahi_aa_paunge nahi_aa_sakta nahi_aa_sakti nahi_aa_sakte nahi_aa_payenge nahi_aa_paenge nahi_aaunga nahi_aaungi nahi_aunga nahi_aungi nhi_aa_paunga nhi_aa_paungi nhi_aa_sakta nhi_aa_sakti nhi_aa_payenge nhi_aaunga nhi_aaungi aa_nahi_paunga aa_nahi_paungi aa_nahi_sakta aa_nahi_sakti aa_nahi_payenge aa_nhi_paunga aa_nhi_paungi aa_nhi_sakta aana_mushkil aana_possible_nahi nahi_aa_rahe nahi_aa_raha_hu nahi_aa_rahi_hu nahi_aa_raha_hun nahi_aana aana_nahi_ho नहीं_आ_पाऊंगा नहीं_आ_पाऊंगी नहीं_आ_पाऊँगा नहीं_आ_पाऊँगी नहीं_आ_सकता नहीं_आ_सकती नहीं_आ_सकते नहीं_आ_पाएंगे नहीं_आऊंगा नहीं_आऊंगी आ_नहीं_पाऊंगा आ_नहीं_पाऊंगी आ_नहीं_सकता नहीं_आ_रहे नहीं_आ_रहा_हूं नहीं_आ_रही_हूं",
    ),
    (
        M(T::Late),
        "late running_late be_late getting_late delayed stuck_in_traffic in_traffic stuck_in der der_ho der_ho_jayegi der_se der_ho_rahi late_ho late_ho_jaunga late_ho_jayega late_aaunga jam_me_fasa traffic_me_fasa traffic_mein thoda_late देर देरी लेट ट्रैफिक_में",
    ),
    (
        M(T::Queue),
        "mera_number_kya mera_number_kitna mera_nambar_kya मेरा_नंबर_क्या मेरा_नंबर_कितना queue que line token my_turn turn meri_baari meri_bari mera_number_kab mera_nambar_kab number_kab kaunsa_number konsa_number kitna_number number_aaya number_kitna kitne_log kitne_patient kitne_patients kitne_mareez people_before_me people_ahead ahead_of_me patients_ahead patients_before wait_time waiting_time current_number current_token which_number_is now_serving baari bari kya_number_chal number_chal_raha konsa_number_chal कतार लाइन टोकन मेरी_बारी बारी मेरा_नंबर_कब कितने_लोग कितने_मरीज नंबर_कब कौन_सा_नंबर नंबर_चल_रहा",
    ),
    (
        M(T::HowLong),
        "how_long how_much_longer how_much_time how_many kitni_der kitna_time kitna_samay kitna_wait kitna_intezar aur_kitna aur_kitni_der कितनी_देर कितना_समय कितना_टाइम कितना_इंतजार और_कितनी_देर",
    ),
    (
        M(T::Arrived),
        "im_outside i_am_outside waiting_outside waiting_here waiting_at_the_clinic bahar_hu bahar_hun im_here i_am_here i_m_here we_are_here were_here have_arrived ive_arrived i_arrived just_arrived arrived we_have_arrived have_reached ive_reached i_reached reached at_the_clinic at_the_reception at_reception at_your_clinic outside_the_clinic pahunch_gaya pahunch_gayi pahunch_gaye pahuch_gaya pahuch_gayi pahuch_gaye pohoch_gaya pahonch_gaya pahunch_chuka pahuncha aa_gaya aa_gayi aa_gaye agaya aagaya aagayi aa_chuka aa_chuki clinic_me_hu clinic_mein_hu clinic_me_hun clinic_pe_hu clinic_par_hu clinic_mein_hoon पहुंच_गया पहुँच_गया पहुंच_गई पहुंच_गए पहुँच_गए आ_गया आ_गई आ_गए आ_चुका क्लिनिक_में_हूं",
    ),
    (
        M(T::CheckIn),
        "checkin check_in check_me_in checking_in self_checkin haziri haajiri hajiri lagwa_do_haziri qr qr_code चेक_इन चेकइन हाजिरी",
    ),
    (
        M(T::Prepare),
        "to_know_before before_the_blood_test what_to_bring what_should_i_bring should_i_bring need_to_bring bring carry khaali_pet khaali_pet_aana khali_pet_aana what_to_carry prepare preparation preparations fasting fast need_to_fast empty_stomach khali_pet eat_before can_i_eat should_i_eat eat_anything drink_water instructions instruction before_the_test before_test before_coming documents required_documents kya_lana kya_laana kya_lekar kya_leke kya_kya_lana kya_kya_laana sath_kya lana_hai lana_hoga kha_kar khana_kha kuch_khana kya_khana kha_sakta kha_sakte bhukhe_pet bhookhe_pet bina_khaye taiyari tayyari dhyan_rakhna precautions क्या_लाना क्या_लेकर क्या_क्या_लाना खाली_पेट भूखे_पेट खाना_खा कुछ_खाना तैयारी निर्देश बिना_खाए खा_सकते खा_सकता",
    ),
    (
        M(T::Fee),
        "how_much fee fees feess charge charges cost costs price prices rate rates how_much_is how_much_does how_much_do kitna_paisa kitne_paise kitna_lagega kitne_ka kitna_charge kharcha kharch paisa_lagega paise_lagenge fis kitna_lagta kitne_lagenge फीस फ़ीस शुल्क खर्च खर्चा कितने_पैसे कितना_पैसा कितना_लगेगा कितने_का चार्ज",
    ),
    (
        M(T::Hours),
        "timings opening_hours working_hours clinic_hours office_hours opd_timing opd_timings opd_time opening_time closing_time open opens opened close closes closed clinic_timing clinic_time clinic_ka_time khula khulta khulti khulega khule khula_hai kab_khulta band_hota band_hai band_rehta chutti holiday baithte baithti baithte_hai baithenge kab_tak_khula kis_time क्लिनिक_का_समय खुला खुलता खुलेगा खुली बंद_होता बंद_है छुट्टी बैठते बैठती टाइमिंग",
    ),
    (
        M(T::Place),
        "address location located where_is_the where_is_your where_are_you where_is_clinic directions direction google_map google_maps map maps landmark how_to_reach how_do_i_reach how_do_i_get reach_the parking park pata_bhejo pata_kya kahan_hai kaha_hai kidhar_hai kahan_par kaise_pahunche kaise_aaye kaise_aana rasta raasta nearest_metro jagah पता_क्या कहाँ_है कहां_है कहाँ_पर कहां_पर रास्ता पार्किंग कैसे_पहुंचे एड्रेस लोकेशन पता",
    ),
    (
        M(T::Matter),
        "insurance cashless mediclaim ayushman tpa report reports lab_report test_report prescription medicine medicines dawai dawa dawaiyan payment pay upi gpay paytm phonepe credit_card debit_card card cash discount refund certificate medical_certificate bill receipt invoice wheelchair lift home_visit home_collection video_consultation online_consultation teleconsultation vaccine vaccination vaccines facility facilities pharmacy bima बीमा रिपोर्ट दवाई दवा पेमेंट भुगतान कार्ड पर्चा टीका बिल",
    ),
    (
        M(T::Waitlist),
        "waitlist wait_list waiting_list wait_listed if_something_opens if_anything_opens if_someone_cancels if_somebody_cancels let_me_know_if tell_me_if notify_me inform_me_if any_cancellation any_cancellations if_there_is_a_cancellation agar_koi_cancel koi_cancel_kare koi_cancel_ho koi_cancel_hua jagah_ho_to_batana khali_ho_to khali_hone_par khali_ho_jaye slot_khali_ho pehle_ka_mil_jaye_to earlier_if_possible वेटिंग_लिस्ट वेटलिस्ट प्रतीक्षा_सूची खाली_हो_तो खाली_होने_पर कोई_कैंसल_करे",
    ),
    (
        M(T::Human),
        "human real_person person agent operator receptionist reception executive representative customer_care staff front_desk helpdesk help_desk someone somebody kisi_se kisi_insaan kisi_aadmi insaan aadmi banda manushya manager desk_wale इंसान रिसेप्शन रिसेप्शनिस्ट आदमी स्टाफ किसी_से व्यक्ति",
    ),
    (
        M(T::Talk),
        "have_a_complaint make_a_complaint file_a_complaint complaint_karni complaint_karna shikayat shikayat_karni शिकायत talk speak connect transfer baat baat_karni baat_karna baat_karao baat_karwa baat_karvao baat_kara call_me call_me_back callback call_back please_call phone_karo phone_kijiye phone_kar call_karo call_kijiye call_kar bat_karni bat_karna bat_karao chat_with reach_someone बात बात_करनी बात_करना बात_कराओ बात_करा बात_करवा कॉल_करो कॉल_करें फोन_करो फोन_करें",
    ),
    (
        M(T::Stop),
        "stop unsubscribe unsubcribe opt_out optout stopall stop_all remove_me dont_call do_not_call call_mat dont_message dont_text dont_send do_not_message do_not_text do_not_send do_not_contact dont_contact stop_messaging stop_sending stop_texting stop_messages leave_me_alone no_more_messages band_karo band_kro band_kar_do bandkaro band_kijiye band_kar band_kare message_mat msg_mat msg_band message_band messages_band sms_band mat_bhejo mat_bhejiye mat_bhejna na_bheje nahi_bhejo message_nahi_chahiye messages_nahi_chahiye message_nhi_chahiye pareshan_mat_karo बंद_करो बंद_करें बंद_कर_दो बंद_कीजिए बंद_कर मत_भेजो मत_भेजिए मत_भेजें मैसेज_नहीं_चाहिए संदेश_न_भेजें परेशान_मत_करो स्टॉप",
    ),
    (
        M(T::Messages),
        "message messages msg msgs sms text texts whatsapp notification notifications reminders reminder मैसेज संदेश एसएमएस",
    ),
    (
        M(T::Allow),
        "bhejna_shuru message_bhejna_shuru भेजना_शुरू subscribe resubscribe opt_in optin unstop start_messages start_sending resume_messages allow_messages message_again messages_again send_messages_again phir_se_bhejo wapas_bhejo message_chalu messages_chalu message_shuru messages_shuru msg_chalu msg_shuru chalu_karo chalu_kar_do shuru_karo_message फिर_से_भेजो मैसेज_चालू मैसेज_शुरू संदेश_शुरू चालू_करो",
    ),
    (
        M(T::StartOver),
        "start_over start_again startover restart reset begin_again from_the_beginning from_scratch phir_se_shuru fir_se_shuru dobara_shuru shuru_se naye_sire_se firse_shuru phirse_shuru फिर_से_शुरू दोबारा_शुरू शुरू_से नए_सिरे_से",
    ),
    (
        M(T::Back),
        "back go_back previous_question step_back pichla_sawal peeche_jao piche_jao wapas_jao one_step_back पीछे पीछे_जाओ वापस_जाओ",
    ),
    (
        M(T::Repeat),
        "repeat say_again say_that_again come_again pardon what_did_you_say didnt_get_that did_not_understand didnt_understand dont_understand i_dont_understand phir_se_bolo fir_se_bolo dobara_bolo phir_se_batao fir_se_batao dobara_batao firse_batao phirse_bolo samajh_nahi samjha_nahi samajh_nhi kya_bola kya_kaha दोबारा_बोलो फिर_से_बोलो फिर_से_बताओ दोबारा_बताओ समझ_नहीं क्या_कहा",
    ),
    (
        M(T::More),
        "more show_more more_options more_times more_slots other_options other_times other_time another_time another_day other_day another_date different_time different_day another_slot other_slots any_other none_of_these none_of_them none neither something_else any_other_time any_other_day aur_dikhao aur_batao aur_options aur_option koi_aur dusra_time doosra_time dusra_din doosra_din koi_aur_time koi_aur_din koi_aur_samay kuch_aur inme_se_koi_nahi inme_se_koi_nhi isme_se_koi_nahi aur_slots doosre_time aur_time और_दिखाओ और_बताओ कोई_और कुछ_और दूसरा_समय दूसरा_दिन कोई_और_समय कोई_और_दिन इनमें_से_कोई_नहीं",
    ),
    (
        M(T::Help),
        "help menu options what_can_you_do how_does_this_work main_menu madad sahayata help_me madad_chahiye madad_karo kya_kar_sakte kya_kya_kar मदद सहायता मेनू मेन्यू हेल्प",
    ),
    (
        M(T::Free),
        "available availability free free_slot avilable availble khali khaali uplabdh present on_duty aayenge_kya aate aati hai_kya_aaj milenge milengi उपलब्ध खाली आते आती मिलेंगे मिलेंगी",
    ),
    (
        M(T::Show),
        "show tell list check know find see_my batao bataye bataiye bataen bata_do batado dikhao dikhaiye dekho dekhna janna jaanna pata_karna बताओ बताइए बताएं दिखाओ दिखाइए देखना जानना",
    ),
    (
        M(T::Clinic),
        "clinic hospital dispensary dawakhana klinik aspatal haspatal क्लिनिक क्लीनिक अस्पताल हॉस्पिटल",
    ),
    (
        M(T::Practitioner),
        "doctor doctors dr docter doctr doctr_sahab daktar doktar doctor_sahab doctor_saab dr_sahab specialist vaidya hakim physician डॉक्टर डाक्टर डॉक्टरों डॉक्टर_साहब विशेषज्ञ",
    ),
    (M(T::End), "band khatam end finish बंद खत्म"),
    (
        M(T::Have),
        "i_booked i_have_booked i_had_booked ive_booked maine_book_kiya do_i_have have_i_got got_any any_upcoming upcoming_appointment upcoming_appointments my_appointments my_bookings mere_appointments meri_appointments mera_appointment_kab meri_appointment_kab meri_appointment_kitne mera_appointment_kitne appointment_kab_hai appointment_kab_ka appointment_kab_ki appointment_details booking_details appointment_kitne_baje मेरे_अपॉइंटमेंट अपॉइंटमेंट_कब मेरा_अपॉइंटमेंट_कब मेरी_अपॉइंटमेंट_कब अपॉइंटमेंट_कितने_बजे",
    ),
];
