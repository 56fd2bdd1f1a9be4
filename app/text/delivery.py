"""Sentences of the page of data delivery, and of reading files again."""

from __future__ import annotations

EN = {
    "data_delivery.title": "Data delivery",
    "delivery.fulfilment": "Files delivered",
    "delivery.fulfilment.of": (
        "{delivered:,} of {expected:,} device-hours; {first} as first published"
    ),
    "delivery.fulfilment.help": (
        "Expected: all hours of registered devices whose grace is over. Files that came within it "
        "count once it is over."
    ),
    "delivery.rows": "Rows delivered",
    "delivery.rows.of": "{rows:,} of {expected:,} s",
    "delivery.rows.help": "Accepted less overlapped, of 3,600 s for every expected device-hour.",
    "delivery.without": "Without hours proven off",
    "delivery.without.of": "of {expected:,} device-hours ({off:,} proven off); rows {rows}",
    "delivery.without.help": (
        "A unit that provably stood switched off had nothing to send: here its hours are left out "
        "of what is expected, for files and for rows."
    ),
    "delivery.missing": "Missing",
    "delivery.missing.of": "of {expected:,} device-hours; {pending:,} pending",
    "delivery.delay": "Arrival delay, median",
    "delivery.delay.of": "95 % within {p95}",
    "delivery.delay.help": "Hours that have not come count as infinite.",
    "delivery.never": "not yet",
    "delivery.beyond": "more than {longest} (some not delivered)",
    "delivery.late": "Late",
    "delivery.late.of": "of {delivered:,} delivered",
    "delivery.arrived": "Arrived",
    "delivery.devices": "devices",
    "delivery.grid": "Device by hour, longest outage first",
    "delivery.grid.help": (
        "A vertical stripe is a site, a horizontal one a device. Hatched: missing, with the letter "
        "of its cause (C no coverage, D lost on the device, B stuck backlog, O device off, P "
        "parked, F our failure, U unknown). ◐ partial, ✕ corrupt, outlined pending, pale proven "
        "off, L on a filled cell late, ? not registered. Click a marked cell to see what lies "
        "behind it."
    ),
    "delivery.grid.rest": (
        "The {shown} devices with the longest outages of {devices:,}. The table below has every "
        "device-hour that needs a look."
    ),
    "delivery.delays": "Arrival delay of expected hours",
    "delivery.delays.axis": "time after the end of the hour",
    "delivery.delays.count": "device-hours",
    "delivery.table": "Device-hours that need a look",
    "delivery.table.help": "Choose a row to see its raw file, its bad lines, and to read it again.",
    "delivery.table.none": "Every expected device-hour is complete and on time.",
    "delivery.causes": "Why hours are missing",
    "delivery.causes.help": (
        "The percentage is how often such a finding is right. Hours of days whose marts are not "
        "built yet are unknown."
    ),
    "delivery.causes.none": "No hour is missing.",
    "delivery.causes.axis": "device-hours",
    "delivery.keeping_up": "Still to come, lost on devices, and how ingestion kept pace",
    "delivery.backlog": "Files still on devices",
    "delivery.backlog.of": (
        "on {waiting:,} devices; {said:,} of {devices:,} told in the last 24 h"
    ),
    "delivery.backlog.help": (
        "Summed over devices, each with its last word. A device that is silent now holds more."
    ),
    "delivery.lost": "Rows lost on devices",
    "delivery.lost.of": (
        "{share} of {counted:,} rows that devices counted, in {built:,} of {expected:,} "
        "device-hours"
    ),
    "delivery.lost.help": (
        "Only hours whose marts are built know what was lost. A row is a second; a file that comes "
        "after all takes its rows from here."
    ),
    "delivery.availability": "Pipeline availability",
    "delivery.availability.of": "ingestion current in {current:,} of {hours:,} closed hours",
    "delivery.availability.none": "no hour has closed in this span since ingestion first ran",
    "delivery.availability.help": (
        "Share of the closed hours of the span, since ingestion first ran here, in which no file "
        "that had arrived waited longer than an hour. Files that came more than four days late are "
        "left out."
    ),
    "delivery.coverage": "Radio coverage",
    "delivery.coverage.help": (
        "One mark a cell of about 550 m, from what devices said of their connection. A cross: a "
        "blank spot, without connection for 30 % of the time or more. Hollow: too little was seen "
        "to judge (less than 600 s or than 3 units)."
    ),
    "delivery.coverage.none": "No device told where it was and how its connection was: unknown.",
    "coverage.few": "too little seen",
    "coverage.good": "covered",
    "coverage.blank": "blank spot",
    "coverage.share": "without<br>connection",
    "coverage.unknown": "unknown",
    "coverage.note": (
        "{district}<br>{down} of {hours} h without connection<br>signal {signal} · {units} units"
    ),
    "delivery.cell": "{unit} · {time}: {state}",
    "delivery.cell.nothing": "No file of this device-hour has arrived.",
    "delivery.close": "Close this device-hour",
    "delivery.why": "Cause: **{cause}** ({sure} sure): {evidence}.",
    "delivery.why.unsure": "Cause: **{cause}**: {evidence}.",
    "delivery.why.nothing": "nothing is known yet that says why",
    "delivery.lines": "Quarantined lines: {shown:,} of {total:,}. Bytes that are no plain letters "
    "are written as \\\\x1b.",
    "delivery.lines.none": "The quarantined lines of this file are no longer kept.",
    "cell.complete": "Complete",
    "cell.partial": "Partial",
    "cell.corrupt": "Corrupt",
    "cell.missing": "Missing",
    "cell.pending": "Pending",
    "cell.proven_off": "Proven off",
    "cell.not_registered": "Not registered",
    "cause.no_coverage": "No coverage",
    "cause.lost_on_device": "Lost on the device",
    "cause.stuck_backlog": "Stuck backlog",
    "cause.device_off": "Device off",
    "cause.parked": "Parked",
    "cause.our_failure": "Our failure",
    "cause.unknown": "Unknown",
    "cause.no_coverage.letter": "C",
    "cause.lost_on_device.letter": "D",
    "cause.stuck_backlog.letter": "B",
    "cause.device_off.letter": "O",
    "cause.parked.letter": "P",
    "cause.our_failure.letter": "F",
    "cause.unknown.letter": "U",
    "object.ok": "ok",
    "object.partial": "partial (torn)",
    "object.corrupt": "corrupt",
    "object.failed": "set aside",
    "object.pending": "waits to be taken in",
    "object.done": "taken in",
    "reread.file": "Read this file again",
    "reread.by": "Read again by",
    "reread.by.file": "File",
    "reread.by.device": "Device",
    "reread.by.day": "Day",
    "reread.by.span": "Span of days",
    "reread.by.rules": "Older rules",
    "reread.key": "Raw key",
    "reread.key.like": "MLKB/HW-0001/2026013107/2026013107.txt.gz",
    "reread.day": "Local day",
    "reread.from": "From local day",
    "reread.to": "To local day, included",
    "reread.dry_run": "Say what it touches",
    "reread.choose": "Say which files: a key, a device, a district or days.",
    "reread.planning": "Looking up what it touches…",
    "reread.none": "No raw file is known for: {chosen}.",
    "reread.plan.title": "**Read again:** {chosen}",
    "reread.plan": (
        "Files {files:,} · rows {rows:,} · days {days:,} · days whose marts are built anew "
        "{mart_days:,}. What the files hold stays visible until it is replaced."
    ),
    "reread.plan.gone": (
        "{gone:,} more are no longer in the store, or hold other content by now: they stay as "
        "they are."
    ),
    "reread.plan.more": "and {more:,} more",
    "reread.no_worker": (
        "No worker gives a sign of life. The request waits in the ledger until one runs "
        "(haulwatch serve or haulwatch worker)."
    ),
    "reread.confirm": "Read again",
    "reread.leave": "Leave it",
    "reread.asked": "Asked for as request {number}. Its progress stands under Ingestion.",
    "column.cause": "Cause",
    "column.confidence": "Sure (%)",
    "column.replaced": "Replaced",
    "column.taken_in": "Taken in",
    "column.blank": "Blank",
    "column.rules": "Rules",
    "column.line": "Line",
    "column.reason": "Reason",
    "column.bytes": "Bytes",
    "column.content": "Content, escaped",
    # sentences of device_hour.cause_evidence
    "evidence.the file is here, and could not be taken in": (
        "the file is here, and could not be taken in"
    ),
    "evidence.the row counter went on, and later hours came": (
        "the row counter went on, and later hours came"
    ),
    "evidence.rows of it came with the file of another hour": (
        "rows of it came with the file of another hour"
    ),
    "evidence.by the row counter of its first row the device was awake": (
        "by the row counter of its first row the device was awake"
    ),
    "evidence.by the row counter of later rows the device was awake again": (
        "by the row counter of later rows the device was awake again"
    ),
    "evidence.the device was awake when it began, and later hours came": (
        "the device was awake when it began, and later hours came"
    ),
    "evidence.no power, and the engine ran no longer than it was awake": (
        "no power, and the engine ran no longer than it was awake"
    ),
    "evidence.no power, while the engine ran most of the time": (
        "no power, while the engine ran most of the time"
    ),
    "evidence.what the counters say leaves it open": "what the counters say leaves it open",
    "evidence.nothing that says why": "nothing that says why",
    "evidence.last seen parked: it may stand there still": (
        "last seen parked: it may stand there still"
    ),
    "evidence.several devices near it fell silent in the same hour": (
        "several devices near it fell silent in the same hour"
    ),
    "evidence.another device near it fell silent in the same hour": (
        "another device near it fell silent in the same hour"
    ),
    "evidence.files were waiting on it when it was last heard": (
        "files were waiting on it when it was last heard"
    ),
    "evidence.rows ended within an hour, with the engine on": (
        "rows ended within an hour, with the engine on"
    ),
    "evidence.its signal was weak when it was last heard": (
        "its signal was weak when it was last heard"
    ),
    "evidence.devices near it were heard when it fell silent, and it was awake": (
        "devices near it were heard when it fell silent, and it was awake"
    ),
}

ID: dict[str, str] = {
    "data_delivery.title": "Pengiriman Data",
    "delivery.fulfilment": "File terkirim",
    "delivery.fulfilment.of": (
        "{delivered:,} dari {expected:,} jam-perangkat; {first} saat pertama kali diterbitkan"
    ),
    "delivery.fulfilment.help": (
        "Seharusnya ada: semua jam perangkat terdaftar yang masa tenggangnya sudah lewat. File "
        "yang tiba sebelum itu baru dihitung sesudahnya."
    ),
    "delivery.rows": "Baris terkirim",
    "delivery.rows.of": "{rows:,} dari {expected:,} d",
    "delivery.rows.help": (
        "Diterima dikurangi tumpang tindih, dari 3.600 d untuk setiap jam-perangkat yang "
        "seharusnya ada."
    ),
    "delivery.without": "Tanpa jam terbukti mati",
    "delivery.without.of": "dari {expected:,} jam-perangkat ({off:,} terbukti mati); baris {rows}",
    "delivery.without.help": (
        "Unit yang terbukti mati tidak punya data untuk dikirim: jamnya di sini tidak dihitung, "
        "untuk file maupun baris."
    ),
    "delivery.missing": "Tidak terkirim",
    "delivery.missing.of": "dari {expected:,} jam-perangkat; {pending:,} menunggu",
    "delivery.delay": "Keterlambatan tiba, median",
    "delivery.delay.of": "95 % dalam {p95}",
    "delivery.delay.help": "Jam yang belum tiba dihitung tak terhingga.",
    "delivery.never": "belum tiba",
    "delivery.beyond": "lebih dari {longest} (sebagian tidak terkirim)",
    "delivery.late": "Terlambat",
    "delivery.late.of": "dari {delivered:,} terkirim",
    "delivery.arrived": "Tiba",
    "delivery.devices": "perangkat",
    "delivery.grid": "Perangkat per jam, gangguan terlama di atas",
    "delivery.grid.help": (
        "Garis tegak berarti site, garis datar berarti perangkat. Arsir: tidak terkirim, dengan "
        "huruf penyebabnya (C blank spot, D hilang di perangkat, B antrean macet, O perangkat "
        "mati, P parkir, F kegagalan kami, U tidak diketahui). ◐ sebagian, ✕ rusak, bergaris tepi "
        "menunggu, pucat terbukti mati, L pada sel terisi terlambat, ? tidak terdaftar. Klik sel "
        "bertanda untuk melihat isinya."
    ),
    "delivery.grid.rest": (
        "{shown} perangkat dengan gangguan terlama dari {devices:,}. Tabel di bawah memuat semua "
        "jam-perangkat yang perlu dilihat."
    ),
    "delivery.delays": "Keterlambatan tiba dari jam yang seharusnya ada",
    "delivery.delays.axis": "waktu setelah jam berakhir",
    "delivery.delays.count": "jam-perangkat",
    "delivery.table": "Jam-perangkat yang perlu dilihat",
    "delivery.table.help": (
        "Pilih baris untuk melihat file mentahnya, baris rusaknya, dan untuk membacanya lagi."
    ),
    "delivery.table.none": "Semua jam-perangkat yang seharusnya ada lengkap dan tepat waktu.",
    "delivery.causes": "Mengapa jam tidak terkirim",
    "delivery.causes.help": (
        "Persentase: seberapa sering temuan seperti itu benar. Jam dari hari yang mart-nya belum "
        "dibangun tidak diketahui."
    ),
    "delivery.causes.none": "Tidak ada jam yang hilang.",
    "delivery.causes.axis": "jam-perangkat",
    "delivery.keeping_up": "Yang masih akan datang, hilang di perangkat, dan kelancaran pemrosesan",
    "delivery.backlog": "File masih di perangkat",
    "delivery.backlog.of": (
        "di {waiting:,} perangkat; {said:,} dari {devices:,} melapor dalam 24 jam terakhir"
    ),
    "delivery.backlog.help": (
        "Jumlah dari laporan terakhir tiap perangkat. Perangkat yang kini diam menyimpan lebih "
        "banyak."
    ),
    "delivery.lost": "Baris hilang di perangkat",
    "delivery.lost.of": (
        "{share} dari {counted:,} baris yang dihitung perangkat, pada {built:,} dari {expected:,} "
        "jam-perangkat"
    ),
    "delivery.lost.help": (
        "Hanya jam yang mart-nya sudah dibangun yang tahu apa yang hilang. Satu baris adalah satu "
        "detik; file yang akhirnya tiba mengurangi jumlah ini."
    ),
    "delivery.availability": "Ketersediaan pemrosesan",
    "delivery.availability.of": (
        "pemrosesan tepat waktu pada {current:,} dari {hours:,} jam yang sudah berakhir"
    ),
    "delivery.availability.none": (
        "belum ada jam yang berakhir dalam rentang ini sejak pemrosesan pertama kali berjalan"
    ),
    "delivery.availability.help": (
        "Bagian dari jam yang sudah berakhir dalam rentang ini, sejak pemrosesan pertama kali "
        "berjalan di sini, saat tidak ada file yang sudah tiba menunggu lebih dari satu jam. File "
        "yang terlambat lebih dari empat hari tidak dihitung."
    ),
    "delivery.coverage": "Jangkauan radio",
    "delivery.coverage.help": (
        "Satu tanda per sel sekitar 550 m, dari laporan perangkat tentang koneksinya. Silang: "
        "blank spot, tanpa koneksi selama 30 % waktu atau lebih. Berongga: terlalu sedikit data "
        "untuk dinilai (kurang dari 600 d atau 3 unit)."
    ),
    "delivery.coverage.none": (
        "Tidak ada perangkat yang melaporkan posisi dan koneksinya: tidak diketahui."
    ),
    "coverage.few": "data terlalu sedikit",
    "coverage.good": "terjangkau",
    "coverage.blank": "blank spot",
    "coverage.share": "tanpa<br>koneksi",
    "coverage.unknown": "tidak diketahui",
    "coverage.note": (
        "{district}<br>{down} dari {hours} jam tanpa koneksi<br>sinyal {signal} · {units} unit"
    ),
    "delivery.cell": "{unit} · {time}: {state}",
    "delivery.cell.nothing": "Tidak ada file dari jam-perangkat ini yang tiba.",
    "delivery.close": "Tutup jam-perangkat ini",
    "delivery.why": "Penyebab: **{cause}** (keyakinan {sure}): {evidence}.",
    "delivery.why.unsure": "Penyebab: **{cause}**: {evidence}.",
    "delivery.why.nothing": "belum ada yang menunjukkan sebabnya",
    "delivery.lines": "Baris karantina: {shown:,} dari {total:,}. Byte yang bukan huruf biasa "
    "ditulis sebagai \\\\x1b.",
    "delivery.lines.none": "Baris karantina dari file ini tidak disimpan lagi.",
    "cell.complete": "Lengkap",
    "cell.partial": "Sebagian",
    "cell.corrupt": "Rusak",
    "cell.missing": "Tidak Terkirim",
    "cell.pending": "Menunggu",
    "cell.proven_off": "Terbukti mati",
    "cell.not_registered": "Tidak Terdaftar",
    "cause.no_coverage": "Blank spot",
    "cause.lost_on_device": "Hilang di perangkat",
    "cause.stuck_backlog": "Antrean macet",
    "cause.device_off": "Perangkat mati",
    "cause.parked": "Parkir",
    "cause.our_failure": "Kegagalan kami",
    "cause.unknown": "Tidak diketahui",
    "cause.no_coverage.letter": "C",
    "cause.lost_on_device.letter": "D",
    "cause.stuck_backlog.letter": "B",
    "cause.device_off.letter": "O",
    "cause.parked.letter": "P",
    "cause.our_failure.letter": "F",
    "cause.unknown.letter": "U",
    "object.ok": "baik",
    "object.partial": "sebagian (terputus)",
    "object.corrupt": "rusak",
    "object.failed": "disisihkan",
    "object.pending": "menunggu diproses",
    "object.done": "sudah diproses",
    "reread.file": "Baca file ini lagi",
    "reread.by": "Baca lagi menurut",
    "reread.by.file": "File",
    "reread.by.device": "Perangkat",
    "reread.by.day": "Hari",
    "reread.by.span": "Rentang hari",
    "reread.by.rules": "Aturan lama",
    "reread.key": "Kunci file mentah",
    "reread.key.like": "MLKB/HW-0001/2026013107/2026013107.txt.gz",
    "reread.day": "Hari setempat",
    "reread.from": "Dari hari setempat",
    "reread.to": "Sampai hari setempat, termasuk",
    "reread.dry_run": "Tampilkan dampaknya",
    "reread.choose": "Sebutkan file mana: kunci, perangkat, site atau hari.",
    "reread.planning": "Mencari dampaknya…",
    "reread.none": "Tidak ada file mentah yang dikenal untuk: {chosen}.",
    "reread.plan.title": "**Baca lagi:** {chosen}",
    "reread.plan": (
        "File {files:,} · baris {rows:,} · hari {days:,} · hari yang mart-nya dibangun ulang "
        "{mart_days:,}. Isi file tetap terlihat sampai digantikan."
    ),
    "reread.plan.gone": (
        "{gone:,} lainnya sudah tidak ada di penyimpanan, atau isinya sudah lain: dibiarkan "
        "seperti adanya."
    ),
    "reread.plan.more": "dan {more:,} lagi",
    "reread.no_worker": (
        "Tidak ada worker yang aktif. Permintaan menunggu di ledger sampai ada yang berjalan "
        "(haulwatch serve atau haulwatch worker)."
    ),
    "reread.confirm": "Baca lagi",
    "reread.leave": "Batalkan",
    "reread.asked": "Diminta sebagai permintaan {number}. Kemajuannya ada di Pemrosesan Data.",
    "column.cause": "Penyebab",
    "column.confidence": "Keyakinan (%)",
    "column.replaced": "Digantikan",
    "column.taken_in": "Diproses",
    "column.blank": "Kosong",
    "column.rules": "Aturan",
    "column.line": "Baris",
    "column.reason": "Alasan",
    "column.bytes": "Byte",
    "column.content": "Isi, dengan escape",
    # sentences of device_hour.cause_evidence
    "evidence.the file is here, and could not be taken in": (
        "file sudah ada di sini, tetapi tidak dapat diproses"
    ),
    "evidence.the row counter went on, and later hours came": (
        "penghitung baris berjalan terus, dan jam sesudahnya datang"
    ),
    "evidence.rows of it came with the file of another hour": (
        "sebagian barisnya datang dengan file jam lain"
    ),
    "evidence.by the row counter of its first row the device was awake": (
        "menurut penghitung baris pertamanya perangkat menyala"
    ),
    "evidence.by the row counter of later rows the device was awake again": (
        "menurut penghitung baris sesudahnya perangkat sudah menyala lagi"
    ),
    "evidence.the device was awake when it began, and later hours came": (
        "perangkat menyala saat jam itu mulai, dan jam sesudahnya datang"
    ),
    "evidence.no power, and the engine ran no longer than it was awake": (
        "tanpa daya, dan mesin hidup tidak lebih lama daripada perangkat menyala"
    ),
    "evidence.no power, while the engine ran most of the time": (
        "tanpa daya, padahal mesin hidup hampir sepanjang waktu"
    ),
    "evidence.what the counters say leaves it open": "penghitung tidak memberi kepastian",
    "evidence.nothing that says why": "tidak ada petunjuk sebabnya",
    "evidence.last seen parked: it may stand there still": (
        "terakhir terlihat parkir: mungkin masih di sana"
    ),
    "evidence.several devices near it fell silent in the same hour": (
        "beberapa perangkat di dekatnya diam pada jam yang sama"
    ),
    "evidence.another device near it fell silent in the same hour": (
        "satu perangkat lain di dekatnya diam pada jam yang sama"
    ),
    "evidence.files were waiting on it when it was last heard": (
        "ada file yang menunggu di perangkat saat terakhir terdengar"
    ),
    "evidence.rows ended within an hour, with the engine on": (
        "baris berhenti di tengah jam, dengan mesin hidup"
    ),
    "evidence.its signal was weak when it was last heard": (
        "sinyalnya lemah saat terakhir terdengar"
    ),
    "evidence.devices near it were heard when it fell silent, and it was awake": (
        "perangkat di dekatnya terdengar saat ia diam, dan ia menyala"
    ),
}
