# What reception says, in English. Titles of choices have at most 20 letters.

greeting = Hello! This is the automatic assistant of { $clinic }.
menu = How can I help you?
menu-label = Choose
menu-book = Book appointment
menu-mine = My appointments
menu-move = Change appointment
menu-cancel = Cancel appointment
menu-queue = My place in queue
menu-desk = Talk to the desk

yes = Yes
no = No
choose = Choose
restart = Start again
more-times = Later times
other-day = Another day
other-time = Another time
other-doctor = Another doctor
any-doctor = Any doctor
somebody-new = Somebody else
leave-it = Leave it
will-come = I will come
join-waitlist = Join waiting list

not-understood = Sorry, I did not understand that.
several-people = Several people use this number. Please choose the name.
reply-by-number = I still do not understand, sorry. Please reply with one of these numbers.
words-only = I can only read text here.
about-your-call = You have just called us. Let us go on here.
still-there = Are you still there?
take-your-time = Of course, take your time.
back-to-it = { $what ->
    [book] Now, back to the booking.
    [move] Now, back to changing the appointment.
    [cancel] Now, back to cancelling the appointment.
    [confirm] Now, back to confirming the appointment.
    [my-appointments] Now, back to the appointments.
    [where-in-queue] Now, back to the place in the queue.
    [join-waitlist] Now, back to the waiting list.
   *[other] Now, let us go on.
 }
dropped = All right, I have stopped that.
started-again = All right, from the start.
here-again = The automatic assistant is here again.
welcome = You are welcome!
out-of-date = That choice is out of date.

ask-doctor = Which doctor or speciality would you like to see?
ask-which-doctor = Which doctor do you mean?
ask-doctor-of = Which doctor would you like to see for { $specialty }?
no-such-doctor = We have nobody of that name.
ask-day = These days have free times with { $doctor }. Which one would you like?
ask-day-any = These days have free times. Which one would you like?
ask-part = { $day }: at what time of the day?
part-morning = Morning
part-afternoon = Afternoon
part-evening = Evening
part-night = Night
ask-time = Free on { $day } with { $doctor }. Which time?
ask-time-any = Free on { $day }. Which time?
day-over = { $day } is over.
no-such-specialty = We have no { $specialty } here.
day-not-free = { $day } has no free times.
time-not-free = { $time } is not free on { $day }. Nearest free times:
days-not-free = Those days have no free times.
ask-other-time = These times are free. Which one?
part-not-free = There is nothing free at that time of { $day }.
nothing-free = There is no free time in the next { $days } days.
nothing-free-list = There is no free time in the next { $days } days, but there is a waiting list.
slot-taken = Sorry, that time has just been taken.
doctor-changed = With { $doctor }, then.

ask-whom = Who is the appointment for?
ask-name = What is the full name of the patient?
not-a-name = Please write just the name.
ask-birth = What is the date of birth of { $name }? For example 2 May 1984.
not-a-birth = I could not read that as a date of birth.
ask-phone = On which mobile number can the clinic reach you?
ask-known-phone = Which mobile number does the clinic have for you?
not-a-phone = I could not read that as a telephone number.
ask-known-birth = And your date of birth? For example 2 May 1984.

book-confirm =
    Please check:
    { $name }
    { $doctor }
    { $day }, { $time }
    Shall I book this?
book-confirm-service =
    Please check:
    { $name }
    { $service }, { $doctor }
    { $day }, { $time }
    Shall I book this?
booked = Booked: { $name } with { $doctor }, { $day }, { $time }.
qr = Show the code below at the kiosk when you arrive.
double-booked = { $name } already has an appointment at that time.
maybe-on-record = The clinic may already have this person on record. Our desk will look and answer you here.
what-else = What should I change? Write the doctor, the day or the time, or "cancel".

move-confirm =
    Please check:
    { $name }, { $doctor }
    from { $oldday }, { $oldtime }
    to { $day }, { $time }
    Shall I move it?
moved = Moved: { $name } with { $doctor }, now { $day }, { $time }.
cancel-confirm = Cancel the appointment of { $name } with { $doctor } on { $day }, { $time }?
cancelled = The appointment is cancelled.
kept = All right, the appointment stays as it is.
confirm-confirm = Will { $name } come to { $doctor } on { $day }, { $time }?
confirmed = Thank you! We expect { $name } on { $day }, { $time }.
too-late = That appointment cannot be changed any more.

ask-move-or-cancel = Would you like another time, or shall I cancel it?
ask-whose = Who is it about?
ask-proof = To protect your records: in which year was the patient born?
proof-wrong = That does not fit our records.
not-proven = I cannot show records here without being sure. Our desk will help you.
not-on-record = I find nobody on record with that.
ask-which-appointment = Which appointment?
no-appointments = I find no coming appointment for { $name }.
appointments = Coming appointments of { $name }:
appointment-line = { $day }, { $time }: { $doctor }

queue-none = { $name } is not in the queue today. Please check in with the code when you arrive.
queue-called = Token { $token } has been called. Please go in.
queue-place = Token { $token }: { $ahead ->
    [0] you are next.
    [one] one person is before you.
   *[other] { $ahead } people are before you.
 }
queue-minutes = It will take about { $minutes } minutes.
checked-in = You are checked in.
not-checked-in = That code did not check you in. Here it works from an hour before the visit, when you are at the clinic; our desk can help.
ask-service = For which visit?
no-instructions = There is nothing special to prepare for { $service }.

faq-none = I have no answer to that. Shall I ask our desk?
faq-left = Then what else can I do for you?

waitlist-ask = Shall I note { $name } on the waiting list?
waitlist-ask-doctor = Shall I note { $name } on the waiting list for { $doctor }?
waitlisted = Noted. We will write as soon as a time becomes free.
waitlist-left = All right, not on the waiting list.

handed-over = I have passed this to our desk. They will answer you here.
desk-phone = You can also call { $phone }.
not-done = That did not work. I have asked our desk to look into it.
heard-late = We have your message only now, because our connection was down for a while. Our desk will answer you here.
away = We have your message. The clinic cannot be reached by the assistant right now; the clinic will answer you.
late-noted = Thank you. I have told our desk that you will be late.
away-lent = The clinic cannot be reached right now, so I can offer a few times only.
emergency = If this is an emergency, please call { $numbers } now. Do not wait for an answer here.
emergency-plain = If this is an emergency, please call an ambulance now. Do not wait for an answer here.
emergency-phone = The clinic: { $phone }.
remind = Dear { $name }, you have an appointment with { $doctor } at { $clinic } on { $day } at { $time }.
remind-to-confirm = Dear { $name }, you have an appointment with { $doctor } at { $clinic } on { $day } at { $time }. Please reply YES if you will come, or write what you would like to change.
write-back = This is { $clinic }. We have a message for you. Please answer here, so that we may write to you.
emergency-desk = I have told our desk, too.
or = { $one } or { $other }

email-subject = A message from { $clinic }
email-unread = Answers to this e-mail are not read.
email-phone = Please call { $phone }.

waitlist-offer = Dear { $name }, a time has become free with { $doctor } at { $clinic }: { $day }, { $time }. Would you like it? Please reply YES or NO by { $until }.
waitlist-yes = Yes, book it
waitlist-no = No, thank you
offer-left = All right. You stay on the waiting list.

stopped = You will get no more messages from us that you did not ask for. Write START to get them again.
allowed = Thank you. You will get our messages again.
language-set = All right, in English.
ask-language = Which language would you like?
language-name = English

today = Today
tomorrow = Tomorrow
day-long = { $weekday }, { $day } { $month }
day-short = { $weekday } { $day } { $month }
birth-long = { $day } { $month } { $year }
clock = { $hour }:{ $minute } { $part ->
    [dawn] am
    [morning] am
   *[other] pm
 }
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
weekday-short-1 = Mon
weekday-short-2 = Tue
weekday-short-3 = Wed
weekday-short-4 = Thu
weekday-short-5 = Fri
weekday-short-6 = Sat
weekday-short-7 = Sun
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
month-short-1 = Jan
month-short-2 = Feb
month-short-3 = Mar
month-short-4 = Apr
month-short-5 = May
month-short-6 = Jun
month-short-7 = Jul
month-short-8 = Aug
month-short-9 = Sep
month-short-10 = Oct
month-short-11 = Nov
month-short-12 = Dec
