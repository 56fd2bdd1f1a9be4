"""Sentences of the page of fatigue events, of reviews, and of the shift handover."""

from __future__ import annotations

EN = {
    "fatigue_events.title": "Fatigue events",
    "fatigue.banner": (
        "Files come once an hour: the in-cab alarm is the first defence. A case is evidence to "
        "talk about, never the sole ground for discipline; an operator may see and contest it."
    ),
    # tiles
    "fatigue.waiting": "Cases waiting for contact",
    "fatigue.waiting.of": "{on_shift} on shift, {shift_ended} shift ended · of {all} cases",
    "fatigue.waiting.help": "New cases that nobody took on; the operator's next shift is to come.",
    "fatigue.reviewed": "Reviewed",
    "fatigue.reviewed.of": "of {all} cases",
    "fatigue.reviewed.help": (
        "Cases with a verdict: confirmed, false alarm or not assessable. An unreviewed case is "
        "unknown, not false."
    ),
    "fatigue.false": "False alarms",
    "fatigue.false.of": "{wrong} of {judged} reviewed",
    "fatigue.false.help": "Share of the reviewed cases that people called a false alarm.",
    "fatigue.blind": "Moving unseen",
    "fatigue.blind.of": "{blind} of {moving} h moving",
    "fatigue.blind.help": "Camera down or blocked, no face, sunglasses.",
    "fatigue.no_data": "No data",
    "fatigue.no_data.of": "{hours} of {day} unit-hours · {km} km, {worked} engine h",
    "fatigue.no_data.help": "Distance and engine hours meanwhile, by the unit's own counters.",
    # views
    "fatigue.view": "View",
    "fatigue.view.now": "Shift",
    "fatigue.view.patterns": "Patterns and rates",
    "fatigue.view.what_if": "What if",
    # contact list
    "fatigue.kinds": "Kinds",
    "fatigue.kinds.of": "{n} of {all} cases are of these kinds.",
    "fatigue.contacts": "Contact list",
    "fatigue.contacts.help": (
        "On shift: the same operator is still at work on that unit in the newest data: call now. "
        "Shift ended: follow up before the next shift. For the record: older, or with a verdict. "
        "The clock runs from the arrival of the data; in brackets it has stopped because somebody "
        "took the case on. Select a row to open the case."
    ),
    "group.on_shift": "On shift",
    "group.shift_ended": "Shift ended",
    "group.for_record": "For the record",
    "group.on_shift.none": "No open case of anybody who is still at work.",
    "group.shift_ended.none": "No open case to follow up before the next shift.",
    "group.for_record.none": "Nothing for the record in these days.",
    "fatigue.none.but": (
        "No case was found in {seen} h of moving with eyes seen; {blind} h moving were unseen and "
        "{none} h brought no data. That does not show that nobody was tired."
    ),
    # strip
    "fatigue.shift": "Shift",
    "fatigue.shift.of": "{day} · shift {n} · {begin}–{end} · {cases} cases",
    "fatigue.strip": "Units with a case, shift by shift",
    "fatigue.strip.seen": "Moving, eyes seen",
    "fatigue.strip.blind": "Moving unseen (blind)",
    "fatigue.strip.none": "No data",
    "fatigue.strip.help": (
        "One row a unit, most urgent on top: on shift and not contacted, then by severity and "
        "metres with the eyes closed. The larger a mark, the more metres; its shape is the kind. "
        "Click a mark to open the case. Small open marks below the line: head turned away, driver "
        "not tracked. Shaded: between sunset and sunrise where the units were, to some minutes; "
        "where none told its place, shift 2. With kinds chosen above, the list and the strip are "
        "of those alone, and units whose driver only turned away or was not tracked are shown too: "
        "that never is a case."
    ),
    "fatigue.strip.night": "night",
    "fatigue.strip.no_case": "no such case",
    "fatigue.strip.lasted": "{seconds} s",
    "fatigue.strip.waits": "{n} wait since {time}",
    "fatigue.strip.open": "no verdict yet",
    "fatigue.strip.judged": "all reviewed",
    "fatigue.strip.empty": "No case began in this shift.",
    # a case
    "fatigue.back": "All cases",
    "fatigue.case": "{case} · {kind} · {unit} · {time} {zone}",
    "fatigue.case.none": (
        "There is no such case among yours. It may have been withdrawn when later data came in."
    ),
    "fatigue.case.waits": "data came in at {arrived}, {clock} ago; nobody took it on yet",
    "fatigue.case.took": "data came in at {arrived}; somebody took it on after {clock}",
    "fatigue.operator": "Operator",
    "fatigue.operator.none": "nobody signed on",
    "fatigue.operator.gone": "not kept: not confirmed within {days} days",
    "fatigue.operator.seen": "That you looked at this operator is on record.",
    "fatigue.fact.closed": "Eyes closed",
    "fatigue.fact.longest": "longest {seconds} s",
    "fatigue.fact.share": "Closed share, 5 min",
    "fatigue.fact.share.of": "{share} · at least {low} (95 %) · usual {usual}",
    "fatigue.fact.evidence": "Evidence",
    "fatigue.fact.agrees": "device alarmed too",
    "fatigue.fact.silent": "no alarm by the device",
    "fatigue.fact.device_alone": "by the device alone",
    "fatigue.fact.seat": "On the seat",
    "fatigue.fact.seat.of": "{long} since the last stop of 10 min",
    "fatigue.fact.seat.least": "{long} at least; no stop of 10 min in what is known",
    "fatigue.fact.seat.unknown": "{long} of it not known",
    "fatigue.fact.seat.change": "{long} since taking over a unit that did not stop for 10 min",
    "fatigue.fact.row": "In a row",
    "fatigue.fact.row.night": "night shift no. {nth} in a row",
    "fatigue.fact.row.day": "day shift no. {nth} in a row",
    "fatigue.fact.nth": "This shift",
    "fatigue.fact.nth.of": "case no. {nth} of this operator · ladder: {action}",
    "fatigue.trace": "Eyes and speed, second by second",
    "fatigue.trace.help": "Grey: the eyes were not read. Red: the case.",
    "fatigue.trace.ear": "Eye aspect ratio",
    "fatigue.trace.level": "Open-eye level",
    "fatigue.trace.rule": "{ratio} × open",
    "fatigue.trace.closed": "Share of frames closed",
    "fatigue.trace.speed": "Speed (km/h)",
    "fatigue.trace.none": "The seconds of this case are not available.",
    "fatigue.place": "Where it was",
    "fatigue.place.roads": "Haul roads",
    "fatigue.place.way": "Way of the unit, 6 h around",
    "fatigue.place.hour": "The hour of the case",
    "fatigue.place.spot": "The case",
    "fatigue.place.east": "km east",
    "fatigue.place.north": "km north",
    "kind.microsleep": "Microsleep",
    "kind.drowsy": "Drowsy",
    "kind.device_alarm": "Device alarm",
    "kind.yawning": "Yawning",
    "kind.distraction": "Head turned away",
    "kind.not_tracked": "Driver not tracked",
    "evidence.closure": "closure, by the device",
    "evidence.closed_frac": "closure, from closed frames",
    "evidence.ear_mean": "closure, from mean eye aspect",
    "evidence.ear_snapshot": "closure, from eye aspect",
    "evidence.closed_share": "closed share, 5 min",
    "evidence.mouth": "mouth",
    "evidence.device": "device alarm",
    # review
    "case_state.new": "New",
    "case_state.acknowledged": "Acknowledged (contacted)",
    "case_state.confirmed": "Confirmed",
    "case_state.false_alarm": "False alarm",
    "case_state.not_assessable": "Not assessable",
    "basis.clip": "Clip",
    "basis.radio": "Radio",
    "basis.face_to_face": "Face to face",
    "basis.data_only": "Data only",
    "action.radio_call": "Radio call",
    "action.visit": "Visit",
    "action.rest": "Rest",
    "action.off_truck": "Off the truck",
    "review.title": "Review",
    "review.help": (
        "What is said is added to what was said before; nothing is deleted. A verdict on a new "
        "case takes it on as well."
    ),
    "review.nothing": "New: nobody has said anything yet.",
    "review.state": "What came of it",
    "review.basis": "Known from",
    "review.basis.help": "A verdict needs a basis. Data alone cannot confirm.",
    "review.action": "Action",
    "review.action.advised": "none · next on the ladder: {action}",
    "review.fit": "Fit to work",
    "review.fit.none": "not asked",
    "review.fit.true": "yes",
    "review.fit.false": "no",
    "review.fit.said": "fit to work: {fit}",
    "review.sleep": "Slept before the shift (h)",
    "review.sleep.said": "slept {hours} h",
    "review.note": "Note",
    "review.send": "Add to the case",
    "review.kept": "Added to the case.",
    "review.refused.basis": "Say what the verdict is known from.",
    "review.refused.data_only": (
        "Data alone cannot confirm a case: look at the clip, or talk to the operator."
    ),
    "review.refused.reason": "This case has a verdict. To add another one, say why in the note.",
    "review.refused.meanwhile": (
        "Somebody else reviewed this case meanwhile. Look at what was said, then send yours again."
    ),
    "review.refused.ladder": (
        "The ladder of actions was changed meanwhile: choose the action again, then send."
    ),
    "review.refused.unknown": "There is no such case among yours any more.",
    "review.refused.value": "One of the values is not possible.",
    # patterns
    "fatigue.profile": "Cases by hour into the shift and shift in a row",
    "fatigue.profile.help": (
        "Cases that nobody called a false alarm, per 100 hours moving with the eyes seen. Empty: "
        "nobody was seen then. Grey: fewer than 5 operators, withheld. No ranking of persons. Days "
        "for which cases no longer keep their operators are left out."
    ),
    "fatigue.season": "Days",
    "season.every_day": "All {n} days",
    "season.ramadan": "{n} days of Ramadan",
    "season.other_days": "{n} other days",
    "fatigue.ramadan": (
        "Ramadan: {n} of the {all} days shown, from {first} to {last}. Computed by the tabular "
        "calendar: it may differ by a day from the sighting."
    ),
    "fatigue.ramadan.day": (
        "Day {nth} of Ramadan, computed: it may differ by a day from the sighting."
    ),
    "fatigue.profile.nth": "no. {nth}",
    "fatigue.profile.scale": "per 100 h",
    "fatigue.profile.hour": "hour into the shift",
    "fatigue.profile.of": "{cases} cases in {hours} h with the eyes seen",
    "fatigue.profile.none": (
        "No eyes were seen in these days, or cases no longer keep their operators: nothing is "
        "there to divide by."
    ),
    "fatigue.days": "Cases day by day",
    "fatigue.days.help": (
        "Cases that nobody called a false alarm, per 100 hours moving with the eyes seen; days "
        "with fewer than 10 such hours or 5 operators are left out. Hollow: as first published, "
        "without the cases of files that came late. A dotted line: other thresholds or firmware "
        "from that day on, so what lies on its two sides is not to be compared. Days whose "
        "seconds are still kept are judged by the thresholds of now."
    ),
    "fatigue.days.none": "No day with 10 hours of eyes seen and 5 operators.",
    "fatigue.days.first": "{kind}, as first published",
    "fatigue.days.of": (
        "{day}: {cases} cases in {hours} h with the eyes seen ({first} as first published); blind"
        " for {blind} h"
    ),
    "fatigue.days.threshold": "Threshold set: {name}, {old} → {new}",
    "fatigue.days.threshold.mark": "threshold",
    "fatigue.days.firmware": (
        "Firmware changed on {changed} of {units} units, on most of these {old} → {new}"
    ),
    "fatigue.days.firmware.mark": "firmware",
    "fatigue.withheld": "withheld (fewer than 5 operators)",
    "fatigue.rates": "Rates, and what they rest on",
    "fatigue.rates.help": "A small figure with little observation does not show that it is safe.",
    "fatigue.rate.judged": "{judged} of {all} cases reviewed",
    "fatigue.rate.km": "Confirmed per 1,000 km with the eyes seen",
    "fatigue.rate.km.of": "{n} confirmed in {km} km; {of}",
    "fatigue.rate.shifts": "Operator-shifts with a confirmed case, per 100",
    "fatigue.rate.shifts.of": "{n} of {seen} with an hour or more of eyes seen; {of}",
    "fatigue.rate.standing": "Cases not called false, per 100 h with the eyes seen",
    "fatigue.rate.standing.of": "{n} cases in {hours} h",
    "fatigue.rate.agree": "Cases in which the device alarmed too",
    "fatigue.rate.agree.of": (
        "{both} of {all} cases; {ours} by the eyes alone, {device} by the device's alarm alone"
    ),
    "fatigue.rate.unseen": "Moving unseen",
    "fatigue.rate.unseen.of": (
        "{blind} of {moving} h moving; beside it {none} unit-hours without data, {km} km driven "
        "in them"
    ),
    "fatigue.rate.belt": "Belt open at 10 km/h or more",
    "fatigue.rate.belt.of": "{hours} of {moving} h moving",
    "fatigue.rate.over": "Faster than {limit} km/h for 10 s or more",
    "fatigue.rate.over.of": (
        "{hours} of {moving} h moving; {n} spells, {crit} of them beyond {limit} km/h as well"
    ),
    "fatigue.rate.distraction": "Head turned away, spells per 100 h moving",
    "fatigue.rate.distraction.of": "{n} spells in {moving} h moving, {blind} h of them unseen",
    "fatigue.rate.not_tracked": "Driver not tracked, spells per 100 h moving",
    "fatigue.rate.not_tracked.of": "{n} spells in {moving} h moving, {blind} h of them unseen",
    "fatigue.driving": "Speed, belt and attention, by unit and shift",
    "fatigue.driving.help": (
        "Most time too fast on top, as hours and not as a rate, so that few hours put nobody there."
        " The limits are those of the dictionary: {warn} and {crit} km/h by the wheels. Head "
        "turned away: 4 s or more beyond 20° of what is usual; not tracked: no face for 60 s or "
        "more with the camera up; both at 10 km/h or more. Few of them where much was unseen shows "
        "nothing. Days whose rows were let go before there was a limit have none beyond it. Units, "
        "never persons."
    ),
    "fatigue.driving.none": "No unit moved in these days as far as anything tells.",
    "fatigue.ranking": "Units",
    "fatigue.ranking.help": (
        "Cases not called false per 100 hours with the eyes seen. A unit with few hours is drawn "
        "to the mean of all (empirical Bayes); own weight is what it keeps of its own rate. Units "
        "are ranked, persons never."
    ),
    "fatigue.ranking.none": (
        "In these days the units differ no more than chance would have them: none keeps a rate of "
        "its own."
    ),
    # what if
    "fatigue.what_if": "What other thresholds would have found",
    "fatigue.what_if.help": (
        "Cases of the chosen days, found again from published evidence. Nothing is put in force."
    ),
    "fatigue.what_if.none": "Move a threshold and try. Shown are those in force.",
    "fatigue.what_if.busy": "Finding cases again…",
    "fatigue.try": "Try",
    "fatigue.tried": (
        "**{kept}** cases stay, **{gone}** go, **{new}** are new. Of those that go, {wrong} were "
        "called a false alarm, **{right} were confirmed**, {unjudged} have no verdict."
    ),
    "threshold.closure_s": "Closure by the device, at least",
    "threshold.closed_ratio": "Closed below this share of open",
    "threshold.mean_s": "Closed for, means",
    "threshold.snapshot_s": "Closed for, snapshots",
    "threshold.drowsy_valid_s": "Seconds seen of 5 min, at least",
    "threshold.drowsy_share": "Closed share of 5 min, at least",
    "threshold.drowsy_margin": "Lower limit above one's own by",
    "threshold.serious_m": "Severity 2 from",
    "threshold.severe_m": "Severity 3 from",
    "change.gone": "goes",
    "change.new": "new",
    # handover
    "handover.download": "Shift handover",
    "handover.help": "One page to print: units, never operators.",
    "handover.title": "Fatigue handover · {day} · shift {shift}",
    "handover.made": "made {time}",
    "handover.open": "New, nobody took on",
    "handover.contacted": "Contacted, no verdict",
    "handover.judged": "Reviewed",
    "handover.false": "False alarms of reviewed",
    "handover.blind": "Moving unseen",
    "handover.none": "No data",
    "handover.cases": "Cases, most urgent first",
    "handover.no_cases": "No case began in this shift. See below what was not seen.",
    "handover.more": "{n} more cases in the app.",
    "handover.unseen": "Units that were not seen",
    "handover.all_seen": "Every unit was seen all the time.",
    "handover.blind_h": "Moving unseen (h of moving)",
    "handover.none_h": "No data (h of shift)",
    "handover.over": "Faster than {limit} km/h",
    "handover.away": "Head turned away, times in hours moving",
    "handover.driven": "Too fast, or head turned away",
    "handover.none_moved": "No unit was seen moving.",
    "handover.well_driven": (
        "No unit was too fast for 10 s or more, and no head was seen turned away."
    ),
    "handover.more_units": "{n} more units in the app.",
    "handover.over_min": "Over {limit} km/h (min of moving)",
    "handover.over_crit": "Over {crit} km/h, times",
    "handover.from": "Handed over by",
    "handover.to": "Taken over by",
    # columns of this page alone
    "column.clock": "Clock",
    "column.severity": "Severity",
    "column.review": "Review",
    "column.action": "Action",
    "column.share": "Closed share (%)",
    "column.case": "Case",
    "column.note": "Note",
    "column.shrunk": "Per 100 h, shrunk",
    "column.rate": "Per 100 h, as seen",
    "column.weight": "Own weight (%)",
    "column.standing": "Not called false",
    "column.confirmed": "Confirmed",
    "column.false_alarms": "False alarms",
    "column.judged": "Reviewed",
    "column.eye_h": "Eyes seen (h)",
    "column.eye_km": "Eyes seen (km)",
    "column.blind": "Moving unseen (%)",
    "column.no_data": "No data (%)",
    "column.unbelted": "Belt open (h)",
    "column.shift": "Shift",
    "column.over": "Too fast (min)",
    "column.over_share": "Too fast (%)",
    "column.over_spells": "Too fast, times",
    "column.over_crit": "Much too fast, times",
    "column.worst_kmh": "Fastest of those (km/h)",
    "column.unbelted_share": "Belt open (%)",
    "column.distractions": "Turned away, times",
    "column.untracked": "Not tracked, times",
    "column.untracked_min": "Not tracked (min)",
    "column.figure": "Figure",
    "column.value": "Value",
    "column.rests_on": "Rests on",
    "column.change": "Change",
}

ID: dict[str, str] = {
    "fatigue_events.title": "Kejadian Fatigue",
    "fatigue.banner": (
        "Berkas datang sekali sejam: alarm di kabin adalah pertahanan pertama. Satu kasus adalah "
        "bahan bicara, bukan satu-satunya dasar sanksi; operator boleh melihat dan membantahnya."
    ),
    "fatigue.waiting": "Kasus menunggu dihubungi",
    "fatigue.waiting.of": "{on_shift} masih shift, {shift_ended} shift selesai · dari {all} kasus",
    "fatigue.waiting.help": (
        "Kasus baru yang belum ditangani, dari operator yang shift berikutnya belum mulai."
    ),
    "fatigue.reviewed": "Sudah dinilai",
    "fatigue.reviewed.of": "dari {all} kasus",
    "fatigue.reviewed.help": (
        "Kasus dengan putusan: valid, alarm palsu, atau tidak dapat dinilai. Kasus yang belum "
        "dinilai berarti tidak diketahui, bukan palsu."
    ),
    "fatigue.false": "Alarm palsu",
    "fatigue.false.of": "{wrong} dari {judged} yang dinilai",
    "fatigue.false.help": "Bagian dari kasus yang dinilai yang disebut alarm palsu.",
    "fatigue.blind": "Bergerak tak terpantau",
    "fatigue.blind.of": "{blind} dari {moving} jam bergerak",
    "fatigue.blind.help": "Kamera mati atau tertutup, wajah tidak terdeteksi, kacamata hitam.",
    "fatigue.no_data": "Tidak ada data",
    "fatigue.no_data.of": "{hours} dari {day} jam-unit · {km} km, {worked} jam mesin",
    "fatigue.no_data.help": "Jarak dan jam mesin selama itu, menurut penghitung unit sendiri.",
    "fatigue.view": "Tampilan",
    "fatigue.view.now": "Shift",
    "fatigue.view.patterns": "Pola dan laju",
    "fatigue.view.what_if": "Bagaimana jika",
    "fatigue.kinds": "Jenis",
    "fatigue.kinds.of": "{n} dari {all} kasus termasuk jenis ini.",
    "fatigue.contacts": "Daftar kontak",
    "fatigue.contacts.help": (
        "Masih shift: operator yang sama masih bekerja di unit itu menurut data terbaru, hubungi "
        "sekarang. Shift selesai: tindak lanjuti sebelum shift berikutnya. Untuk catatan: lebih "
        "lama, atau sudah ada putusan. Waktu dihitung sejak data tiba; dalam kurung berarti sudah "
        "berhenti karena ada yang menangani. Pilih baris untuk membuka kasus."
    ),
    "group.on_shift": "Masih shift",
    "group.shift_ended": "Shift selesai",
    "group.for_record": "Untuk catatan",
    "group.on_shift.none": "Tidak ada kasus terbuka dari operator yang masih bekerja.",
    "group.shift_ended.none": "Tidak ada yang perlu ditindaklanjuti sebelum shift berikutnya.",
    "group.for_record.none": "Tidak ada catatan pada hari-hari ini.",
    "fatigue.none.but": (
        "Tidak ada kasus dalam {seen} jam bergerak dengan mata terlihat; {blind} jam bergerak tak "
        "terpantau dan {none} jam tanpa data. Itu tidak membuktikan bahwa tidak ada yang lelah."
    ),
    "fatigue.shift": "Shift",
    "fatigue.shift.of": "{day} · Shift {n} · {begin}–{end} · {cases} kasus",
    "fatigue.strip": "Unit dengan kasus, per shift",
    "fatigue.strip.seen": "Bergerak, mata terlihat",
    "fatigue.strip.blind": "Bergerak tak terpantau",
    "fatigue.strip.none": "Tidak ada data",
    "fatigue.strip.help": (
        "Satu baris per unit, yang paling mendesak di atas: masih shift dan belum dihubungi, lalu "
        "menurut tingkat dan meter dengan mata tertutup. Makin besar tanda, makin banyak meter; "
        "bentuknya adalah jenis. Klik tanda untuk membuka kasus. Tanda kecil di bawah garis: "
        "distraksi, wajah tidak terdeteksi. Bayangan: antara matahari terbenam dan terbit di "
        "tempat unit, dengan selisih beberapa menit; bila tempat tidak diketahui, Shift 2. "
        "Bila jenis dipilih di atas, daftar dan strip hanya memuat jenis itu, juga unit yang hanya "
        "distraksi atau wajah tidak terdeteksi: itu tidak pernah menjadi kasus."
    ),
    "fatigue.strip.night": "malam",
    "fatigue.strip.no_case": "tanpa kasus ini",
    "fatigue.strip.lasted": "{seconds} dtk",
    "fatigue.strip.waits": "{n} menunggu sejak {time}",
    "fatigue.strip.open": "belum ada putusan",
    "fatigue.strip.judged": "semua dinilai",
    "fatigue.strip.empty": "Tidak ada kasus pada shift ini.",
    "fatigue.back": "Semua kasus",
    "fatigue.case": "{case} · {kind} · {unit} · {time} {zone}",
    "fatigue.case.none": (
        "Tidak ada kasus seperti itu pada site Anda. Mungkin ditarik ketika data susulan masuk."
    ),
    "fatigue.case.waits": "data tiba pukul {arrived}, {clock} yang lalu; belum ada yang menangani",
    "fatigue.case.took": "data tiba pukul {arrived}; ditangani setelah {clock}",
    "fatigue.operator": "Operator",
    "fatigue.operator.none": "tidak ada yang masuk log",
    "fatigue.operator.gone": "tidak disimpan: tidak dinyatakan valid dalam {days} hari",
    "fatigue.operator.seen": "Bahwa Anda melihat operator ini tercatat.",
    "fatigue.fact.closed": "Mata tertutup",
    "fatigue.fact.longest": "terlama {seconds} dtk",
    "fatigue.fact.share": "Porsi tertutup, 5 menit",
    "fatigue.fact.share.of": "{share} · sedikitnya {low} (95 %) · biasanya {usual}",
    "fatigue.fact.evidence": "Bukti",
    "fatigue.fact.agrees": "perangkat juga memberi alarm",
    "fatigue.fact.silent": "tanpa alarm perangkat",
    "fatigue.fact.device_alone": "hanya dari perangkat",
    "fatigue.fact.seat": "Di kursi",
    "fatigue.fact.seat.of": "{long} sejak berhenti 10 menit terakhir",
    "fatigue.fact.seat.least": "sedikitnya {long}; tidak ada berhenti 10 menit yang diketahui",
    "fatigue.fact.seat.unknown": "{long} di antaranya tidak diketahui",
    "fatigue.fact.seat.change": "{long} sejak mengambil alih unit yang tidak berhenti 10 menit",
    "fatigue.fact.row": "Berturut-turut",
    "fatigue.fact.row.night": "Shift 2 (malam) ke-{nth} berturut-turut",
    "fatigue.fact.row.day": "Shift 1 (siang) ke-{nth} berturut-turut",
    "fatigue.fact.nth": "Shift ini",
    "fatigue.fact.nth.of": "kasus ke-{nth} operator ini · langkah: {action}",
    "fatigue.trace": "Mata dan kecepatan, per detik",
    "fatigue.trace.help": "Abu-abu: mata tidak terbaca. Merah: kasus.",
    "fatigue.trace.ear": "Rasio bukaan mata",
    "fatigue.trace.level": "Tingkat mata terbuka",
    "fatigue.trace.rule": "{ratio} × terbuka",
    "fatigue.trace.closed": "Porsi frame tertutup",
    "fatigue.trace.speed": "Kecepatan (km/jam)",
    "fatigue.trace.none": "Data per detik kasus ini tidak tersedia.",
    "fatigue.place": "Lokasi",
    "fatigue.place.roads": "Jalan hauling",
    "fatigue.place.way": "Jalur unit, 6 jam sekitarnya",
    "fatigue.place.hour": "Jam kejadian",
    "fatigue.place.spot": "Kasus",
    "fatigue.place.east": "km ke timur",
    "fatigue.place.north": "km ke utara",
    "kind.microsleep": "Microsleep",
    "kind.drowsy": "Mengantuk",
    "kind.device_alarm": "Alarm perangkat",
    "kind.yawning": "Menguap",
    "kind.distraction": "Distraksi",
    "kind.not_tracked": "Wajah tidak terdeteksi",
    "evidence.closure": "penutupan, oleh perangkat",
    "evidence.closed_frac": "penutupan, dari frame tertutup",
    "evidence.ear_mean": "penutupan, dari rata-rata bukaan mata",
    "evidence.ear_snapshot": "penutupan, dari bukaan mata",
    "evidence.closed_share": "porsi tertutup, 5 menit",
    "evidence.mouth": "mulut",
    "evidence.device": "alarm perangkat",
    "case_state.new": "Baru",
    "case_state.acknowledged": "Diterima (dihubungi)",
    "case_state.confirmed": "Valid",
    "case_state.false_alarm": "Alarm Palsu",
    "case_state.not_assessable": "Tidak Dapat Dinilai",
    "basis.clip": "Klip",
    "basis.radio": "Radio",
    "basis.face_to_face": "Tatap muka",
    "basis.data_only": "Data saja",
    "action.radio_call": "Panggil Radio",
    "action.visit": "Temui di Lapangan",
    "action.rest": "Istirahat",
    "action.off_truck": "Stop Operasi",
    "review.title": "Penilaian",
    "review.help": (
        "Yang dikatakan ditambahkan pada yang sebelumnya; tidak ada yang dihapus. Putusan atas "
        "kasus baru sekaligus menerimanya."
    ),
    "review.nothing": "Baru: belum ada yang menilai.",
    "review.state": "Hasilnya",
    "review.basis": "Diketahui dari",
    "review.basis.help": "Putusan memerlukan dasar. Data saja tidak dapat menyatakan valid.",
    "review.action": "Tindak lanjut",
    "review.action.advised": "tidak ada · langkah berikutnya: {action}",
    "review.fit": "Layak bekerja",
    "review.fit.none": "tidak ditanya",
    "review.fit.true": "ya",
    "review.fit.false": "tidak",
    "review.fit.said": "layak bekerja: {fit}",
    "review.sleep": "Tidur sebelum shift (jam)",
    "review.sleep.said": "tidur {hours} jam",
    "review.note": "Catatan",
    "review.send": "Tambahkan ke kasus",
    "review.kept": "Ditambahkan ke kasus.",
    "review.refused.basis": "Sebutkan dasar putusan.",
    "review.refused.data_only": (
        "Data saja tidak dapat menyatakan valid: lihat klip, atau bicara dengan operator."
    ),
    "review.refused.reason": "Kasus ini sudah ada putusan. Untuk putusan lain, tulis alasannya.",
    "review.refused.meanwhile": (
        "Orang lain baru saja menilai kasus ini. Baca penilaiannya, lalu kirim lagi milik Anda."
    ),
    "review.refused.ladder": (
        "Tangga tindak lanjut baru saja diubah: pilih lagi tindak lanjutnya, lalu kirim."
    ),
    "review.refused.unknown": "Kasus ini tidak ada lagi pada site Anda.",
    "review.refused.value": "Salah satu nilai tidak mungkin.",
    "fatigue.profile": "Kasus menurut jam dalam shift dan shift berturut-turut",
    "fatigue.profile.help": (
        "Kasus yang tidak disebut alarm palsu, per 100 jam bergerak dengan mata terlihat. Kosong: "
        "tidak ada yang terpantau. Abu-abu: kurang dari 5 operator, tidak ditampilkan. Tidak ada "
        "peringkat orang. Hari yang kasusnya tidak lagi menyimpan operator tidak ikut dihitung."
    ),
    "fatigue.season": "Hari",
    "season.every_day": "Semua {n} hari",
    "season.ramadan": "{n} hari Ramadan",
    "season.other_days": "{n} hari lain",
    "fatigue.ramadan": (
        "Ramadan: {n} dari {all} hari yang tampil, {first} sampai {last}. Dihitung menurut "
        "kalender tabular: dapat berbeda sehari dari rukyat."
    ),
    "fatigue.ramadan.day": "Ramadan hari ke-{nth}, dihitung: dapat berbeda sehari dari rukyat.",
    "fatigue.profile.nth": "ke-{nth}",
    "fatigue.profile.scale": "per 100 jam",
    "fatigue.profile.hour": "jam ke- dalam shift",
    "fatigue.profile.of": "{cases} kasus dalam {hours} jam dengan mata terlihat",
    "fatigue.profile.none": (
        "Tidak ada mata yang terlihat pada hari-hari ini, atau kasus tidak lagi menyimpan "
        "operatornya; tidak ada pembagi."
    ),
    "fatigue.days": "Kasus per hari",
    "fatigue.days.help": (
        "Kasus yang tidak dinilai alarm palsu, per 100 jam bergerak dengan mata terbaca; hari "
        "dengan kurang dari 10 jam seperti itu atau 5 operator tidak ditampilkan. Kosong: seperti"
        " pertama kali diterbitkan, tanpa kasus dari file yang terlambat. Garis titik: ambang atau "
        "firmware lain mulai hari itu, sehingga kedua sisinya tidak dapat dibandingkan. Hari yang"
        " data per detiknya masih disimpan dinilai dengan ambang yang berlaku sekarang."
    ),
    "fatigue.days.none": "Tidak ada hari dengan 10 jam mata terbaca dan 5 operator.",
    "fatigue.days.first": "{kind}, seperti pertama kali diterbitkan",
    "fatigue.days.of": (
        "{day}: {cases} kasus dalam {hours} jam dengan mata terbaca ({first} seperti pertama kali"
        " diterbitkan); mata tidak terbaca {blind} jam"
    ),
    "fatigue.days.threshold": "Ambang diubah: {name}, {old} → {new}",
    "fatigue.days.threshold.mark": "ambang",
    "fatigue.days.firmware": (
        "Firmware berganti pada {changed} dari {units} unit, sebagian besar {old} → {new}"
    ),
    "fatigue.days.firmware.mark": "firmware",
    "fatigue.withheld": "tidak ditampilkan (kurang dari 5 operator)",
    "fatigue.rates": "Laju, dan dasarnya",
    "fatigue.rates.help": "Angka kecil dengan sedikit pengamatan tidak berarti aman.",
    "fatigue.rate.judged": "{judged} dari {all} kasus dinilai",
    "fatigue.rate.km": "Valid per 1.000 km dengan mata terlihat",
    "fatigue.rate.km.of": "{n} valid dalam {km} km; {of}",
    "fatigue.rate.shifts": "Operator-shift dengan kasus valid, per 100",
    "fatigue.rate.shifts.of": "{n} dari {seen} dengan mata terlihat sejam atau lebih; {of}",
    "fatigue.rate.standing": "Kasus bukan palsu, per 100 jam dengan mata terlihat",
    "fatigue.rate.standing.of": "{n} kasus dalam {hours} jam",
    "fatigue.rate.agree": "Kasus yang juga dialarmkan perangkat",
    "fatigue.rate.agree.of": (
        "{both} dari {all} kasus; {ours} dari mata saja, {device} dari alarm perangkat saja"
    ),
    "fatigue.rate.unseen": "Bergerak tak terpantau",
    "fatigue.rate.unseen.of": (
        "{blind} dari {moving} jam bergerak; di sampingnya {none} jam-unit tanpa data, {km} km "
        "ditempuh di dalamnya"
    ),
    "fatigue.rate.belt": "Sabuk terbuka pada 10 km/jam atau lebih",
    "fatigue.rate.belt.of": "{hours} dari {moving} jam bergerak",
    "fatigue.rate.over": "Lebih cepat dari {limit} km/jam selama 10 detik atau lebih",
    "fatigue.rate.over.of": (
        "{hours} dari {moving} jam bergerak; {n} kali, {crit} kali juga melebihi {limit} km/jam"
    ),
    "fatigue.rate.distraction": "Distraksi, kali per 100 jam bergerak",
    "fatigue.rate.distraction.of": "{n} kali dalam {moving} jam bergerak, {blind} tak terpantau",
    "fatigue.rate.not_tracked": "Wajah tidak terdeteksi, kali per 100 jam bergerak",
    "fatigue.rate.not_tracked.of": "{n} kali dalam {moving} jam bergerak, {blind} tak terpantau",
    "fatigue.driving": "Kecepatan, sabuk, dan perhatian, per unit dan shift",
    "fatigue.driving.help": (
        "Yang paling lama terlalu cepat di atas, dalam jam, bukan laju, supaya jam yang sedikit "
        "tidak menaikkan siapa pun. Batasnya dari kamus data: {warn} dan {crit} km/jam menurut "
        "roda. Distraksi: 4 detik atau lebih melewati 20° dari biasanya; wajah tidak terdeteksi: "
        "tanpa wajah 60 detik atau lebih dengan kamera hidup; keduanya pada 10 km/jam atau lebih. "
        "Sedikit di mana banyak yang tak terpantau tidak membuktikan apa pun. Hari yang barisnya "
        "dihapus sebelum ada batas tidak memuat pelanggaran. Unit, tidak pernah orang."
    ),
    "fatigue.driving.none": "Tidak ada unit yang diketahui bergerak pada hari-hari ini.",
    "fatigue.ranking": "Unit",
    "fatigue.ranking.help": (
        "Kasus bukan palsu per 100 jam dengan mata terlihat. Unit dengan sedikit jam ditarik ke "
        "rata-rata semua (Bayes empiris); bobot sendiri adalah bagian laju sendiri yang tersisa. "
        "Unit diperingkat, orang tidak pernah."
    ),
    "fatigue.ranking.none": (
        "Pada hari-hari ini perbedaan antarunit tidak melebihi kebetulan: tidak ada unit yang "
        "memiliki laju sendiri."
    ),
    "fatigue.what_if": "Yang akan ditemukan dengan ambang batas lain",
    "fatigue.what_if.help": (
        "Kasus pada hari yang dipilih, dicari lagi dari bukti yang terbit. Tidak ada yang berlaku."
    ),
    "fatigue.what_if.none": "Ubah ambang batas lalu coba. Yang tampil adalah yang berlaku.",
    "fatigue.what_if.busy": "Mencari kasus lagi…",
    "fatigue.try": "Coba",
    "fatigue.tried": (
        "**{kept}** kasus tetap, **{gone}** hilang, **{new}** baru. Dari yang hilang, {wrong} "
        "disebut alarm palsu, **{right} valid**, {unjudged} tanpa putusan."
    ),
    "threshold.closure_s": "Penutupan oleh perangkat, sedikitnya",
    "threshold.closed_ratio": "Tertutup di bawah porsi bukaan ini",
    "threshold.mean_s": "Tertutup selama, rata-rata",
    "threshold.snapshot_s": "Tertutup selama, snapshot",
    "threshold.drowsy_valid_s": "Detik terlihat dari 5 menit, sedikitnya",
    "threshold.drowsy_share": "Porsi tertutup 5 menit, sedikitnya",
    "threshold.drowsy_margin": "Batas bawah di atas porsi sendiri sebesar",
    "threshold.serious_m": "Tingkat 2 mulai",
    "threshold.severe_m": "Tingkat 3 mulai",
    "change.gone": "hilang",
    "change.new": "baru",
    "handover.download": "Serah Terima Shift",
    "handover.help": "Satu halaman untuk dicetak: unit, tidak pernah operator.",
    "handover.title": "Serah Terima Fatigue · {day} · Shift {shift}",
    "handover.made": "dibuat {time}",
    "handover.open": "Baru, belum ditangani",
    "handover.contacted": "Dihubungi, belum ada putusan",
    "handover.judged": "Dinilai",
    "handover.false": "Alarm palsu dari yang dinilai",
    "handover.blind": "Bergerak tak terpantau",
    "handover.none": "Tidak ada data",
    "handover.cases": "Kasus, yang paling mendesak dulu",
    "handover.no_cases": "Tidak ada kasus pada shift ini. Lihat di bawah apa yang tak terpantau.",
    "handover.more": "{n} kasus lagi di aplikasi.",
    "handover.unseen": "Unit yang tak terpantau",
    "handover.all_seen": "Semua unit terpantau sepanjang waktu.",
    "handover.blind_h": "Bergerak tak terpantau (jam dari bergerak)",
    "handover.none_h": "Tidak ada data (jam dari shift)",
    "handover.over": "Lebih cepat dari {limit} km/jam",
    "handover.away": "Distraksi, kali dalam jam bergerak",
    "handover.driven": "Terlalu cepat, atau distraksi",
    "handover.none_moved": "Tidak ada unit yang terpantau bergerak.",
    "handover.well_driven": (
        "Tidak ada unit yang terlalu cepat selama 10 detik atau lebih, dan tidak ada distraksi."
    ),
    "handover.more_units": "{n} unit lagi di aplikasi.",
    "handover.over_min": "Di atas {limit} km/jam (menit dari bergerak)",
    "handover.over_crit": "Di atas {crit} km/jam, kali",
    "handover.from": "Diserahkan oleh",
    "handover.to": "Diterima oleh",
    "column.clock": "Waktu tunggu",
    "column.severity": "Tingkat",
    "column.review": "Penilaian",
    "column.action": "Tindak lanjut",
    "column.share": "Porsi tertutup (%)",
    "column.case": "Kasus",
    "column.note": "Catatan",
    "column.shrunk": "Per 100 jam, disesuaikan",
    "column.rate": "Per 100 jam, teramati",
    "column.weight": "Bobot sendiri (%)",
    "column.standing": "Bukan palsu",
    "column.confirmed": "Valid",
    "column.false_alarms": "Alarm palsu",
    "column.judged": "Dinilai",
    "column.eye_h": "Mata terlihat (jam)",
    "column.eye_km": "Mata terlihat (km)",
    "column.blind": "Tak terpantau (%)",
    "column.no_data": "Tidak ada data (%)",
    "column.unbelted": "Sabuk terbuka (jam)",
    "column.shift": "Shift",
    "column.over": "Terlalu cepat (menit)",
    "column.over_share": "Terlalu cepat (%)",
    "column.over_spells": "Terlalu cepat, kali",
    "column.over_crit": "Jauh terlalu cepat, kali",
    "column.worst_kmh": "Tercepat di antaranya (km/jam)",
    "column.unbelted_share": "Sabuk terbuka (%)",
    "column.distractions": "Distraksi, kali",
    "column.untracked": "Tidak terdeteksi, kali",
    "column.untracked_min": "Tidak terdeteksi (menit)",
    "column.figure": "Angka",
    "column.value": "Nilai",
    "column.rests_on": "Berdasar",
    "column.change": "Perubahan",
}
