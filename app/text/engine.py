"""Sentences of the page of engine telemetry."""

from __future__ import annotations

EN = {
    "engine_telemetry.title": "Engine telemetry",
    "engine.units": "Units (up to {most})",
    "engine.signals": "Signals",
    "engine.signals.choose": "Signals (up to {most})",
    "engine.no_units": "No unit has telemetry in this span.",
    "engine.choose": "Choose at least one unit and one signal.",
    "engine.compare": "Compare",
    "engine.compare.time": "Units over time",
    "engine.compare.days": "Days by time of day",
    "engine.compare.days.note": (
        "Each line is a day, at most {most}, the newest; the zoom does not apply to them."
    ),
    "engine.dictionary": "Dictionary: find one of {fields} fields",
    "engine.dictionary.search": "Words of a name, unit or description",
    "engine.dictionary.hint": "Click a row to show its signal, or to take it away.",
    "engine.dictionary.none": "No field has all these words.",
    "engine.where.long": "any span",
    "engine.where.short": "up to 6 h",
    "engine.where.driver": "fatigue cases only",
    "engine.where.word": "not drawn",
    "engine.span": "{start} – {end} {zone} · {detail}",
    "engine.span.second": "every second",
    "engine.span.bucket": "a point for {step}",
    "engine.back": "Back",
    "engine.earlier": "Earlier",
    "engine.later": "Later",
    "engine.in": "Zoom in",
    "engine.out": "Zoom out",
    "engine.whole": "Whole span",
    "engine.goto": "Go to a time",
    "engine.goto.start": "From (local time)",
    "engine.goto.length": "Length",
    "engine.goto.show": "Show",
    "engine.chart": "Signals of {unit}",
    "engine.chart.help": (
        "Line: mean; shade: lowest to highest second, so a peak of one second survives. Draw a box "
        "over a stretch of time to see it closer, down to seconds. Lines end where more than 10 s "
        "are missing; a point with such a gap in it stands alone. Green: the usual range while its "
        "condition holds, paler where it holds in part, absent where it does not; limits likewise, "
        "orange for warning, red for critical. Triangles: exceedances at their worst value. "
        "Dash-dotted: median of the units of the type, by hour. Grey and dotted: not trusted. The "
        "first 10 s after the engine came on are not judged."
    ),
    "engine.unseen": (
        "Kept by the second only, and shown for at most {hours} h: {signals}. Zoom in to see them."
    ),
    "engine.peers": "median of {type} units",
    "engine.band.usual": "usual {range}",
    "engine.band.while": "while {rule}",
    "engine.exceeded.mark": "{unit}: {level} limit {limit}, worst {worst}, {seconds} s",
    "level.warn": "warning",
    "level.crit": "critical",
    "engine.codes": "Fault codes",
    "engine.codes.axis": "Fault codes (SPN · FMI · source address)",
    "engine.codes.help": (
        "Of the stretch shown, most frequent first; by the hour unless it is short. A code seen "
        "again after more than a minute without it has come back. SPN and FMI are ambiguous "
        "without the source address (SA)."
    ),
    "engine.codes.none": "No controller reported a fault code in the stretch shown.",
    "engine.codes.unknown": "not in the dictionary",
    "engine.exceedances": "Exceedances",
    "engine.exceedances.hint": "Of the days chosen; click a row to see it by the second.",
    "engine.exceedances.none": "No limit was exceeded for 10 s or more in the observed time.",
    "engine.exceeded.of": "{crit} critical",
    "engine.status": "Cameras and GPS",
    "engine.status.help": (
        "By minute, by hour over more than three days: up for 95 % of the observed seconds or "
        "more, down below 5 %, else partly. Hatched: nothing was received."
    ),
    "engine.device.cabin": "Cab camera",
    "engine.device.front": "Front camera",
    "engine.device.gps": "GPS fix",
    "engine.device.up": "up",
    "engine.device.partly": "partly",
    "engine.device.down": "down",
    "engine.device.unseen": "no data",
    "engine.gap": "GPS against wheel speed",
    "engine.gap.help": (
        "By minute, by hour over more than three days, above the satellites in use and the share "
        "of seconds in which the device took its speed from GPS."
    ),
    "engine.gap.mean": "mean gap (km/h)",
    "engine.gap.max": "largest gap (km/h)",
    "engine.gap.satellites": "satellites",
    "engine.gap.by_gps": "speed by GPS (%)",
    "engine.gap.of": "largest: {largest} km/h",
    "engine.gap.distrusted": "a speed is not trusted",
    "engine.gap.units": (
        "By unit, on the days chosen: means over the minutes in which it moved and both speeds "
        "were known, ten at least on a day."
    ),
    "engine.gap.close": "agree",
    "engine.gap.wide": "too far apart: {signals} not trusted",
    "engine.gap.untold": "both known for less than ten minutes while moving",
    "engine.observed": "Observed",
    "engine.observed.of": "of {span} h in the span",
    "engine.distrusted": "Signals not trusted",
    "engine.distrusted.of": "of {signals} judged, on the days chosen",
    "engine.trust": "Trust in signals",
    "engine.trust.help": (
        "On the days chosen. A signal that is not trusted is drawn grey and dotted, marked in its "
        "heading, and left out of the figures above."
    ),
    "engine.trust.not": "not trusted",
    "engine.trust.none": "Every judged signal was there and moved when it should have.",
    "engine.trust.never": "Signals of these days have not been judged yet.",
    "engine.trust.fault.frozen": "stood still while the unit moved",
    "engine.trust.fault.gap": "too far from the other speed",
    "engine.trust.fault.missing": "never there",
    "engine.trust.fault.absent": "absent half of the time or more",
    "engine.trust.sisters": "{sisters_with} of {sisters} other units of the model have it",
    "engine.rows": (
        "Rows of these units: lines replaced by a later one of the same second, bad lines, and "
        "time in which the device's clock was more than 2 s off."
    ),
    "engine.unjudged": "Not judged: no fault, and nothing that could be believed either.",
    "engine.unjudged.not_fitted": (
        "not fitted on the model: none of {sisters} other units of it seen has it"
    ),
    "engine.unjudged.unseen": "engine on for less than ten minutes",
    "engine.unjudged.untold": (
        "never there, and too few other units of the model have it to tell ({sisters} seen)"
    ),
    "column.meaning": "Meaning",
    "column.active": "Active (min)",
    "column.first_at": "First",
    "column.last_at": "Last",
    "column.occurrence": "Counted by controller",
    "column.shown": "Shown",
    "column.measure": "Unit of measure",
    "column.group": "Group",
    "column.typical": "Usual",
    "column.where": "Drawn for",
    "column.description": "Description",
    "column.reason": "Reason",
    "column.absent": "Absent (%)",
    "column.frozen": "Hours frozen",
    "column.days": "Days",
    "column.distrusted": "Days not trusted",
    "column.last_day": "Last such day",
    "column.signals": "Signals",
    "column.gap": "Mean gap (km/h)",
    "column.gap_of": "Over (min)",
    "column.satellites": "Satellites",
    "column.verdict": "Verdict",
    # Failure modes and source addresses as SAE J1939 has them, those that trucks send.
    "fmi.0": "above normal, most severe",
    "fmi.1": "below normal, most severe",
    "fmi.2": "erratic",
    "fmi.3": "voltage high",
    "fmi.4": "voltage low",
    "fmi.5": "current low or circuit open",
    "fmi.6": "current high or grounded",
    "fmi.7": "mechanical fault",
    "fmi.8": "abnormal frequency",
    "fmi.9": "abnormal update rate",
    "fmi.10": "abnormal rate of change",
    "fmi.11": "cause unknown",
    "fmi.12": "device bad",
    "fmi.13": "out of calibration",
    "fmi.14": "special instructions",
    "fmi.15": "above normal, least severe",
    "fmi.16": "above normal, moderate",
    "fmi.17": "below normal, least severe",
    "fmi.18": "below normal, moderate",
    "fmi.19": "network data in error",
    "fmi.31": "condition exists",
    "sa.0": "engine",
    "sa.3": "transmission",
    "sa.11": "brakes",
    "sa.16": "retarder",
    "sa.23": "instruments",
    "sa.33": "body",
    "sa.39": "management computer",
    "sa.49": "cab",
    "sa.51": "tyres",
    "sa.61": "exhaust",
}

ID: dict[str, str] = {
    "engine_telemetry.title": "Telemetri Engine",
    "engine.units": "No. Lambung (maksimal {most})",
    "engine.signals": "Sinyal",
    "engine.signals.choose": "Sinyal (maksimal {most})",
    "engine.no_units": "Tidak ada unit yang memiliki telemetri pada rentang ini.",
    "engine.choose": "Pilih minimal satu unit dan satu sinyal.",
    "engine.compare": "Bandingkan",
    "engine.compare.time": "Unit sepanjang waktu",
    "engine.compare.days": "Hari menurut jam",
    "engine.compare.days.note": (
        "Setiap garis adalah satu hari, maksimal {most} hari terbaru; perbesaran tidak berlaku di "
        "sini."
    ),
    "engine.dictionary": "Kamus: cari di antara {fields} field",
    "engine.dictionary.search": "Kata dari nama, satuan, atau keterangan",
    "engine.dictionary.hint": "Klik baris untuk menampilkan sinyalnya, atau menghapusnya.",
    "engine.dictionary.none": "Tidak ada field yang memuat semua kata ini.",
    "engine.where.long": "semua rentang",
    "engine.where.short": "sampai 6 jam",
    "engine.where.driver": "hanya kejadian fatigue",
    "engine.where.word": "tidak digambar",
    "engine.span": "{start} – {end} {zone} · {detail}",
    "engine.span.second": "setiap detik",
    "engine.span.bucket": "satu titik per {step}",
    "engine.back": "Kembali",
    "engine.earlier": "Lebih awal",
    "engine.later": "Lebih akhir",
    "engine.in": "Perbesar",
    "engine.out": "Perkecil",
    "engine.whole": "Seluruh rentang",
    "engine.goto": "Pilih waktu",
    "engine.goto.start": "Dari (waktu setempat)",
    "engine.goto.length": "Lama",
    "engine.goto.show": "Tampilkan",
    "engine.chart": "Sinyal {unit}",
    "engine.chart.help": (
        "Garis: rata-rata; bayangan: detik terendah sampai tertinggi, sehingga puncak satu detik "
        "tetap terlihat. Tarik kotak pada rentang waktu untuk memperbesar, sampai per detik. Garis "
        "berhenti bila lebih dari 10 detik hilang; titik dengan celah seperti itu berdiri sendiri. "
        "Hijau: rentang lazim selama syaratnya terpenuhi, lebih pucat bila terpenuhi sebagian, "
        "tidak ada bila tidak terpenuhi; begitu pula ambang batas, jingga untuk peringatan, merah "
        "untuk kritis. Segitiga: pelampauan pada nilai terburuk. Garis-titik: median unit setipe, "
        "per jam. Abu-abu putus-putus: tidak dipercaya. Sepuluh detik pertama setelah engine "
        "menyala tidak dinilai."
    ),
    "engine.unseen": (
        "Hanya disimpan per detik, dan ditampilkan paling lama {hours} jam: {signals}. Perbesar "
        "untuk melihatnya."
    ),
    "engine.peers": "median unit {type}",
    "engine.band.usual": "lazim {range}",
    "engine.band.while": "selama {rule}",
    "engine.exceeded.mark": (
        "{unit}: ambang batas {level} {limit}, terburuk {worst}, {seconds} detik"
    ),
    "level.warn": "peringatan",
    "level.crit": "kritis",
    "engine.codes": "Kode Fault",
    "engine.codes.axis": "Kode Fault (SPN · FMI · alamat sumber)",
    "engine.codes.help": (
        "Dari rentang yang tampil, yang paling sering di atas; per jam kecuali rentangnya pendek. "
        "Kode yang terlihat lagi setelah lebih dari satu menit tidak ada dihitung muncul kembali. "
        "SPN dan FMI tidak jelas tanpa alamat sumber (SA)."
    ),
    "engine.codes.none": "Tidak ada kode fault pada rentang yang tampil.",
    "engine.codes.unknown": "tidak ada di kamus",
    "engine.exceedances": "Pelampauan Ambang Batas",
    "engine.exceedances.hint": "Dari hari yang dipilih; klik baris untuk melihatnya per detik.",
    "engine.exceedances.none": (
        "Tidak ada ambang batas yang terlampaui selama 10 detik atau lebih pada waktu yang "
        "terpantau."
    ),
    "engine.exceeded.of": "{crit} kritis",
    "engine.status": "Kamera dan GPS",
    "engine.status.help": (
        "Per menit, per jam untuk lebih dari tiga hari: menyala bila 95 % detik terpantau atau "
        "lebih, mati di bawah 5 %, selain itu sebagian. Arsir: tidak ada data diterima."
    ),
    "engine.device.cabin": "Kamera kabin",
    "engine.device.front": "Kamera depan",
    "engine.device.gps": "GPS fix",
    "engine.device.up": "menyala",
    "engine.device.partly": "sebagian",
    "engine.device.down": "mati",
    "engine.device.unseen": "tidak ada data",
    "engine.gap": "Kecepatan GPS terhadap roda",
    "engine.gap.help": (
        "Per menit, per jam untuk lebih dari tiga hari, di atas jumlah satelit dan bagian detik "
        "ketika perangkat mengambil kecepatan dari GPS."
    ),
    "engine.gap.mean": "selisih rata-rata (km/h)",
    "engine.gap.max": "selisih terbesar (km/h)",
    "engine.gap.satellites": "satelit",
    "engine.gap.by_gps": "kecepatan dari GPS (%)",
    "engine.gap.of": "terbesar: {largest} km/h",
    "engine.gap.distrusted": "salah satu kecepatan tidak dipercaya",
    "engine.gap.units": (
        "Per unit, pada hari yang dipilih: rata-rata selama menit ketika unit bergerak dan kedua "
        "kecepatan diketahui, sedikitnya sepuluh menit sehari."
    ),
    "engine.gap.close": "sesuai",
    "engine.gap.wide": "terlalu berbeda: {signals} tidak dipercaya",
    "engine.gap.untold": "keduanya diketahui kurang dari sepuluh menit selama bergerak",
    "engine.observed": "Terpantau",
    "engine.observed.of": "dari {span} jam dalam rentang",
    "engine.distrusted": "Sinyal tidak dipercaya",
    "engine.distrusted.of": "dari {signals} yang dinilai, pada hari yang dipilih",
    "engine.trust": "Kepercayaan sinyal",
    "engine.trust.help": (
        "Pada hari yang dipilih. Sinyal yang tidak dipercaya digambar abu-abu putus-putus, "
        "ditandai pada judulnya, dan tidak dihitung dalam angka di atas."
    ),
    "engine.trust.not": "tidak dipercaya",
    "engine.trust.none": "Setiap sinyal yang dinilai ada dan berubah sebagaimana mestinya.",
    "engine.trust.never": "Sinyal pada hari-hari ini belum dinilai.",
    "engine.trust.fault.frozen": "diam padahal unit bergerak",
    "engine.trust.fault.gap": "terlalu jauh dari kecepatan yang lain",
    "engine.trust.fault.missing": "tidak pernah ada",
    "engine.trust.fault.absent": "tidak ada selama separuh waktu atau lebih",
    "engine.trust.sisters": "{sisters_with} dari {sisters} unit lain semodel memilikinya",
    "engine.rows": (
        "Baris unit ini: baris yang diganti oleh baris lain pada detik yang sama, baris rusak, dan "
        "waktu ketika jam perangkat meleset lebih dari 2 detik."
    ),
    "engine.unjudged": ("Tidak dinilai: bukan kerusakan, dan juga tidak ada yang dapat dipercaya."),
    "engine.unjudged.not_fitted": (
        "tidak terpasang pada model ini: tidak satu pun dari {sisters} unit lain semodel yang "
        "terpantau memilikinya"
    ),
    "engine.unjudged.unseen": "engine menyala kurang dari sepuluh menit",
    "engine.unjudged.untold": (
        "tidak pernah ada, dan terlalu sedikit unit lain semodel yang memilikinya untuk dinilai "
        "({sisters} terpantau)"
    ),
    "column.meaning": "Arti",
    "column.active": "Aktif (menit)",
    "column.first_at": "Pertama",
    "column.last_at": "Terakhir",
    "column.occurrence": "Hitungan pengendali",
    "column.shown": "Tampil",
    "column.measure": "Satuan",
    "column.group": "Kelompok",
    "column.typical": "Lazim",
    "column.where": "Digambar untuk",
    "column.description": "Keterangan",
    "column.reason": "Alasan",
    "column.absent": "Tidak ada (%)",
    "column.frozen": "Jam diam",
    "column.days": "Hari",
    "column.distrusted": "Hari tidak dipercaya",
    "column.last_day": "Hari terakhir",
    "column.signals": "Sinyal",
    "column.gap": "Selisih rata-rata (km/h)",
    "column.gap_of": "Selama (menit)",
    "column.satellites": "Satelit",
    "column.verdict": "Penilaian",
    "fmi.0": "di atas normal, paling parah",
    "fmi.1": "di bawah normal, paling parah",
    "fmi.2": "tidak menentu",
    "fmi.3": "tegangan tinggi",
    "fmi.4": "tegangan rendah",
    "fmi.5": "arus rendah atau rangkaian terbuka",
    "fmi.6": "arus tinggi atau terhubung ke massa",
    "fmi.7": "kerusakan mekanis",
    "fmi.8": "frekuensi tidak normal",
    "fmi.9": "laju pembaruan tidak normal",
    "fmi.10": "laju perubahan tidak normal",
    "fmi.11": "sebab tidak diketahui",
    "fmi.12": "perangkat rusak",
    "fmi.13": "di luar kalibrasi",
    "fmi.14": "instruksi khusus",
    "fmi.15": "di atas normal, paling ringan",
    "fmi.16": "di atas normal, sedang",
    "fmi.17": "di bawah normal, paling ringan",
    "fmi.18": "di bawah normal, sedang",
    "fmi.19": "data jaringan salah",
    "fmi.31": "kondisi terjadi",
    "sa.0": "engine",
    "sa.3": "transmisi",
    "sa.11": "rem",
    "sa.16": "retarder",
    "sa.23": "instrumen",
    "sa.33": "bodi",
    "sa.39": "komputer manajemen",
    "sa.49": "kabin",
    "sa.51": "ban",
    "sa.61": "gas buang",
}
