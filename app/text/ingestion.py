"""Sentences of the page of ingestion."""

from __future__ import annotations

EN = {
    "ingestion.title": "Ingestion",
    "ingestion.worker": "Worker",
    "ingestion.worker.alive": "seen {seconds} s ago",
    "ingestion.worker.dead": "last seen {seconds} s ago",
    "ingestion.worker.none": "none runs",
    "ingestion.worker.gone": "None",
    "ingestion.backlog": "Backlog",
    "ingestion.backlog.of": "of {total:,} files found",
    "ingestion.oldest": "Oldest waiting file",
    "ingestion.oldest.none": "nothing waits",
    "ingestion.accepted": "Lines accepted",
    "ingestion.accepted.of": "{accepted:,} of {lines:,}",
    "ingestion.failed": "Files set aside",
    "ingestion.failed.of": "of {total:,} files found",
    "ingestion.files_in": "Files taken in",
    "ingestion.lines": "Where every line went",
    "ingestion.lines.help": "For every file: lines = accepted + duplicate + quarantined + blank.",
    "ingestion.run.ingest": "Take in files",
    "ingestion.run.build": "Build marts",
    "ingestion.run.compact": "Compact days",
    "ingestion.asked": "Asked for. The worker takes it up at its next step.",
    "ingestion.runs": "Latest runs",
    "ingestion.runs.none": "Nothing has run yet.",
    "ingestion.files": "Files",
    "ingestion.files.status": "Status",
    "ingestion.files.text": "Key contains",
    "ingestion.files.none": "No file matches.",
    "ingestion.fields": "New fields",
    "ingestion.fields.none": "Devices sent no field that the dictionary does not know.",
    "ingestion.notices": "Notices",
    "ingestion.notices.help": "Trouble worth telling: files that did not come in whole, new fields,"
    " failed tests, silence. Where HAULWATCH_NOTIFY is set, each is sent once.",
    "ingestion.notices.none": "Nothing to report.",
    "ingestion.tests": "Failed tests of the marts",
    "ingestion.tests.none": "All {tests} tests of the latest build passed.",
    "ingestion.tests.never": "No mart has been built yet.",
    "lines.accepted": "Accepted",
    "lines.duplicate": "Duplicate",
    "lines.quarantined": "Quarantined",
    "lines.blank": "Blank",
    "ingestion.devices.of": "on {waiting:,} of {said:,} devices heard of in the last 24 h",
    "ingestion.age": "Age of the oldest unprocessed file, last 24 h",
    "ingestion.age.help": (
        "The greatest age that a file which had arrived reached before it was taken in; since work "
        "began here, if that is less. What is read again does not count."
    ),
    "ingestion.age.axis": "{unit}",
    "ingestion.age.limit": "current: within an hour",
    "ingestion.running": "Running: {kind}, for {time}",
    "ingestion.requests": "Requests",
    "ingestion.requests.help": (
        "What people asked the worker for. One that waits can be cancelled; one that reads files "
        "again ends after the portion that is being read."
    ),
    "requests.none": "Nobody has asked for anything.",
    "requests.no_worker": (
        "{waiting:,} requests wait and no worker gives a sign of life: nothing happens until one "
        "runs (haulwatch serve or haulwatch worker)."
    ),
    "requests.open": "**{number}** {kind}, asked by {who}: {state}",
    "requests.files": "{done:,} of {files:,} files",
    "requests.cancel": "Cancel",
    "requests.cancelled": "Cancelled.",
    "requests.too_late": "Too late: it is being done, or has ended.",
    "request.ingest": "Take in files",
    "request.build": "Build marts",
    "request.compact": "Compact days",
    "request.reread": "Read again",
    "request_state.asked": "waits",
    "request_state.taken": "in work",
    "request_state.done": "done",
    "request_state.failed": "failed",
    "request_state.cancelled": "cancelled",
    "ingestion.reread": "Read files again",
    "ingestion.reread.help": (
        "After a change of rules, or where a figure is in doubt. First it is said what would be "
        "touched; nothing happens before that is confirmed."
    ),
    "ingestion.rules.none": "Every file was read by today's rules ({rules}).",
    "ingestion.rules.of": "{files:,} files by rules {rules}",
    "ingestion.rules.some": (
        "Read by older rules: {listed}; today's are {rules}. Choose *Older rules* above to read "
        "them again."
    ),
    "ingestion.quarantine": "Quarantine",
    "ingestion.quarantine.help": (
        "Lines that could not be read, of hours {first} to {last}; other days are chosen in the "
        "sidebar. Bytes that are no plain letters are written as \\x1b."
    ),
    "quarantine.none": "No line was quarantined in these days.",
    "quarantine.every": "All",
    "quarantine.reason": "Reason",
    "quarantine.page": "Page (of {pages:,})",
    "quarantine.shown": "Lines {first:,} to {last:,} of {total:,}",
    "ingestion.workers": "Workers",
    "ingestion.workers.none": (
        "No worker runs: nothing is taken in or built until one does (haulwatch serve or "
        "haulwatch worker)."
    ),
    "ingestion.workers.leads": "takes in files; builds, compacts, reads again",
    "ingestion.workers.follows": "takes in files",
    "column.doing": "Doing",
    "column.role": "Part",
    "column.number": "No.",
    "column.asked": "Asked",
    "column.who": "Who",
    "column.request": "Request",
    "column.about": "About",
    "column.files_read": "Files read",
    "column.files": "Files",
    "column.failed_files": "Failed",
    "column.gone": "Gone",
}

ID: dict[str, str] = {
    "ingestion.title": "Pemrosesan Data",
    "ingestion.worker": "Worker",
    "ingestion.worker.alive": "terlihat {seconds} d lalu",
    "ingestion.worker.dead": "terakhir terlihat {seconds} d lalu",
    "ingestion.worker.none": "tidak ada yang berjalan",
    "ingestion.worker.gone": "Tidak ada",
    "ingestion.backlog": "Antrean",
    "ingestion.backlog.of": "dari {total:,} file ditemukan",
    "ingestion.oldest": "File terlama menunggu",
    "ingestion.oldest.none": "tidak ada yang menunggu",
    "ingestion.accepted": "Baris diterima",
    "ingestion.accepted.of": "{accepted:,} dari {lines:,}",
    "ingestion.failed": "File disisihkan",
    "ingestion.failed.of": "dari {total:,} file ditemukan",
    "ingestion.files_in": "File diproses",
    "ingestion.lines": "Ke mana setiap baris",
    "ingestion.lines.help": (
        "Untuk setiap file: baris = diterima + duplikat + karantina + kosong."
    ),
    "ingestion.run.ingest": "Proses file",
    "ingestion.run.build": "Bangun mart",
    "ingestion.run.compact": "Padatkan hari",
    "ingestion.asked": "Diminta. Worker mengerjakannya pada langkah berikut.",
    "ingestion.runs": "Proses terakhir",
    "ingestion.runs.none": "Belum ada yang berjalan.",
    "ingestion.files": "File",
    "ingestion.files.status": "Status",
    "ingestion.files.text": "Kunci memuat",
    "ingestion.files.none": "Tidak ada file yang cocok.",
    "ingestion.fields": "Field baru",
    "ingestion.fields.none": "Perangkat tidak mengirim field di luar kamus.",
    "ingestion.notices": "Pemberitahuan",
    "ingestion.notices.help": "Gangguan yang perlu diketahui: file yang tidak masuk utuh, field "
    "baru, tes gagal, sunyi. Bila HAULWATCH_NOTIFY diatur, masing-masing dikirim sekali.",
    "ingestion.notices.none": "Tidak ada yang perlu dilaporkan.",
    "ingestion.tests": "Tes mart yang gagal",
    "ingestion.tests.none": "Semua {tests} tes dari pembangunan terakhir lulus.",
    "ingestion.tests.never": "Belum ada mart yang dibangun.",
    "lines.accepted": "Diterima",
    "lines.duplicate": "Duplikat",
    "lines.quarantined": "Karantina",
    "lines.blank": "Kosong",
    "ingestion.devices.of": "di {waiting:,} dari {said:,} perangkat yang terdengar 24 jam terakhir",
    "ingestion.age": "Umur file terlama yang belum diproses, 24 jam terakhir",
    "ingestion.age.help": (
        "Umur tertinggi yang dicapai file yang sudah tiba sebelum diproses; sejak pekerjaan "
        "dimulai di sini bila lebih singkat. Yang dibaca lagi tidak dihitung."
    ),
    "ingestion.age.axis": "{unit}",
    "ingestion.age.limit": "tepat waktu: dalam satu jam",
    "ingestion.running": "Berjalan: {kind}, selama {time}",
    "ingestion.requests": "Permintaan",
    "ingestion.requests.help": (
        "Apa yang diminta orang dari worker. Yang menunggu dapat dibatalkan; yang membaca file "
        "lagi berhenti setelah bagian yang sedang dibaca."
    ),
    "requests.none": "Belum ada permintaan.",
    "requests.no_worker": (
        "{waiting:,} permintaan menunggu dan tidak ada worker yang aktif: tidak ada yang terjadi "
        "sampai ada yang berjalan (haulwatch serve atau haulwatch worker)."
    ),
    "requests.open": "**{number}** {kind}, diminta oleh {who}: {state}",
    "requests.files": "{done:,} dari {files:,} file",
    "requests.cancel": "Batalkan",
    "requests.cancelled": "Dibatalkan.",
    "requests.too_late": "Terlambat: sedang dikerjakan atau sudah selesai.",
    "request.ingest": "Proses file",
    "request.build": "Bangun mart",
    "request.compact": "Padatkan hari",
    "request.reread": "Baca lagi",
    "request_state.asked": "menunggu",
    "request_state.taken": "dikerjakan",
    "request_state.done": "selesai",
    "request_state.failed": "gagal",
    "request_state.cancelled": "dibatalkan",
    "ingestion.reread": "Baca file lagi",
    "ingestion.reread.help": (
        "Setelah aturan berubah, atau bila angka diragukan. Dampaknya ditampilkan dulu; tidak ada "
        "yang terjadi sebelum dikonfirmasi."
    ),
    "ingestion.rules.none": "Semua file dibaca dengan aturan terkini ({rules}).",
    "ingestion.rules.of": "{files:,} file dengan aturan {rules}",
    "ingestion.rules.some": (
        "Dibaca dengan aturan lama: {listed}; aturan terkini {rules}. Pilih *Aturan lama* di atas "
        "untuk membacanya lagi."
    ),
    "ingestion.quarantine": "Karantina",
    "ingestion.quarantine.help": (
        "Baris yang tidak dapat dibaca, dari jam {first} sampai {last}; hari lain dipilih di bilah "
        "sisi. Byte yang bukan huruf biasa ditulis sebagai \\x1b."
    ),
    "quarantine.none": "Tidak ada baris yang dikarantina pada hari-hari ini.",
    "quarantine.every": "Semua",
    "quarantine.reason": "Alasan",
    "quarantine.page": "Halaman (dari {pages:,})",
    "quarantine.shown": "Baris {first:,} sampai {last:,} dari {total:,}",
    "ingestion.workers": "Worker",
    "ingestion.workers.none": (
        "Tidak ada worker yang berjalan: tidak ada yang diproses atau dibangun sampai ada "
        "(haulwatch serve atau haulwatch worker)."
    ),
    "ingestion.workers.leads": "memproses file; membangun, memadatkan, membaca lagi",
    "ingestion.workers.follows": "memproses file",
    "column.doing": "Sedang",
    "column.role": "Bagian",
    "column.number": "No.",
    "column.asked": "Diminta",
    "column.who": "Siapa",
    "column.request": "Permintaan",
    "column.about": "Tentang",
    "column.files_read": "File dibaca",
    "column.files": "File",
    "column.failed_files": "Gagal",
    "column.gone": "Hilang",
}
