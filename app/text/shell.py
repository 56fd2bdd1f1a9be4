"""Sentences of the frame around every page, and of what pages share."""

from __future__ import annotations

EN = {
    "app.name": "Haulwatch",
    "app.tagline": "Who is tired, what is running, what never arrived.",
    "sign_in.title": "Sign in",
    "sign_in.user": "User name",
    "sign_in.password": "Password",
    "sign_in.submit": "Sign in",
    "sign_in.wrong": "User name or password is wrong.",
    "sign_in.wait": "Too many tries. Try again in {seconds} s.",
    "sign_out": "Sign out",
    "sign_out.help": "Ends your sessions on every device.",
    "access.refused": "This page is not part of your role.",
    "access.back": "Go to the overview",
    "role.supervisor": "Supervisor",
    "role.fleet_manager": "Fleet manager",
    "role.admin": "Administrator",
    "docs.title": "Documentation",
    "docs.link": "What the figures mean",
    "docs.link.help": "Every mart and column, and how it is computed; opens in a new tab.",
    "docs.making": (
        "The documentation of the marts is being made, as haulwatch docs does; that takes some ten "
        "seconds. This page shows it as soon as it is there."
    ),
    "docs.missing": (
        "The documentation of the marts is missing and could not be made. Run haulwatch docs on "
        "the machine of the app: it says what is wrong."
    ),
    "docs.nothing": "There is no such page.",
    "filter.district": "District",
    "filter.all_districts": "All districts",
    "filter.first": "From local day",
    "filter.last": "To local day",
    "filter.too_long": "At most {days} days are shown; the span starts later than asked.",
    "header.scope": "{districts} · {span} · times in {zone}",
    "header.system": "Whole system · times in {zone}",
    "header.own": "{districts} · times in {zone}",
    "header.now": "now {clock} {zone}",
    "header.day": "{first}",
    "header.days": "{first} to {last}",
    "progress": "Taking in files: {done:,} of {total:,}. Figures grow until this is done.",
    "progress.stopped": (
        "{pending:,} files wait and no worker gives a sign of life. "
        "Figures stand still until one runs."
    ),
    "empty.nothing": (
        "No data in this span yet. Choose other days or another district, or wait for the first "
        "files."
    ),
    "empty.no_data": "No telemetry was received for this selection: that is unknown, not zero.",
    "error.query": "This part could not be loaded. It is tried again at the next refresh.",
    "error.slow": "This took longer than allowed. Choose fewer days.",
    "error.lake": (
        "These figures are not held on this machine, and the lake's store cannot be reached."
    ),
    "error.ledger": (
        "The ledger, the database behind every page, cannot be reached. Nothing is lost, and this "
        "page comes back by itself. If it does not within a few minutes, tell an administrator: "
        "haulwatch status, on the machine of the app, says what is wrong."
    ),
    "lake.away": (
        "The lake's store cannot be reached since {since} ({zone}): {reason}. Shown is what this "
        "machine holds; nothing new comes in until it is back."
    ),
    "marts.failed": (
        "Figures are those of {clock} {zone}: newer ones failed {tests} of their tests and are "
        "held back."
    ),
    "marts.failed.never": "No figures yet: the first ones failed {tests} of their tests.",
    "marts.failed.link": "Which tests, and why",
    "few.more": "{names} and {n:,} more",
    "twins": (
        "In more than one district: {names}. Charts draw a fleet number as one unit: choose a "
        "district to tell these apart."
    ),
    "download.csv": "CSV",
    "download.csv.help": "What is shown, as CSV.",
    "download.parquet": "Parquet",
    "download.parquet.help": "What is shown, as Parquet.",
    "tile.fatigue_events": "See the cases",
    "tile.fleet_health": "See the units",
    "tile.engine_telemetry": "See the signals",
    "tile.data_delivery": "See the hours",
    "tile.ingestion": "See the files",
}

ID = {
    "app.name": "Haulwatch",
    "app.tagline": "Siapa yang lelah, apa yang beroperasi, apa yang tidak pernah terkirim.",
    "sign_in.title": "Masuk",
    "sign_in.user": "Nama pengguna",
    "sign_in.password": "Kata sandi",
    "sign_in.submit": "Masuk",
    "sign_in.wrong": "Nama pengguna atau kata sandi salah.",
    "sign_in.wait": "Terlalu banyak percobaan. Coba lagi dalam {seconds} detik.",
    "sign_out": "Keluar",
    "sign_out.help": "Mengakhiri sesi Anda di semua perangkat.",
    "access.refused": "Halaman ini bukan bagian dari peran Anda.",
    "access.back": "Ke Ringkasan",
    "role.supervisor": "Pengawas",
    "role.fleet_manager": "Manajer armada",
    "role.admin": "Administrator",
    "docs.title": "Dokumentasi",
    "docs.link": "Arti setiap angka",
    "docs.link.help": (
        "Setiap mart dan kolom, dan cara menghitungnya (dalam bahasa Inggris); terbuka di tab baru."
    ),
    "docs.making": (
        "Dokumentasi mart sedang dibuat, seperti oleh haulwatch docs; perlu sekitar sepuluh detik. "
        "Halaman ini menampilkannya begitu tersedia."
    ),
    "docs.missing": (
        "Dokumentasi mart tidak ada dan tidak dapat dibuat. Jalankan haulwatch docs di mesin "
        "aplikasi: perintah itu menyebutkan masalahnya."
    ),
    "docs.nothing": "Halaman itu tidak ada.",
    "filter.district": "Site",
    "filter.all_districts": "Semua site",
    "filter.first": "Dari tanggal lokal",
    "filter.last": "Sampai tanggal lokal",
    "filter.too_long": "Paling banyak {days} hari ditampilkan; awal rentang digeser.",
    "header.scope": "{districts} · {span} · waktu {zone}",
    "header.system": "Seluruh sistem · waktu {zone}",
    "header.own": "{districts} · waktu {zone}",
    "header.now": "sekarang {clock} {zone}",
    "header.day": "{first}",
    "header.days": "{first} s.d. {last}",
    "progress": "Memproses file: {done:,} dari {total:,}. Angka bertambah sampai selesai.",
    "progress.stopped": (
        "{pending:,} file menunggu dan tidak ada worker yang aktif. "
        "Angka tidak berubah sampai worker berjalan."
    ),
    "empty.nothing": (
        "Belum ada data dalam rentang ini. Pilih tanggal atau site lain, atau tunggu file pertama."
    ),
    "empty.no_data": (
        "Tidak ada telemetri yang diterima untuk pilihan ini: artinya tidak diketahui, bukan nol."
    ),
    "error.query": "Bagian ini tidak dapat dimuat. Dicoba lagi pada penyegaran berikutnya.",
    "error.slow": "Ini melebihi batas waktu. Pilih lebih sedikit hari.",
    "error.lake": (
        "Angka ini tidak tersimpan di mesin ini, dan penyimpanan data tidak dapat dihubungi."
    ),
    "error.ledger": (
        "Ledger, basis data di balik setiap halaman, tidak dapat dihubungi. Tidak ada yang hilang, "
        "dan halaman ini kembali dengan sendirinya. Jika belum kembali dalam beberapa menit, "
        "beri tahu administrator: haulwatch status di mesin aplikasi menyebutkan masalahnya."
    ),
    "lake.away": (
        "Penyimpanan data tidak dapat dihubungi sejak {since} ({zone}): {reason}. Yang tampil "
        "adalah yang tersimpan di mesin ini; tidak ada data baru sampai terhubung kembali."
    ),
    "marts.failed": (
        "Angka ini per {clock} {zone}: angka yang lebih baru gagal dalam {tests} pengujian dan "
        "ditahan."
    ),
    "marts.failed.never": "Belum ada angka: angka pertama gagal dalam {tests} pengujian.",
    "marts.failed.link": "Pengujian mana, dan mengapa",
    "few.more": "{names} dan {n:,} lainnya",
    "twins": (
        "Di lebih dari satu site: {names}. Grafik menggambar satu nomor lambung sebagai satu unit: "
        "pilih site untuk membedakannya."
    ),
    "download.csv": "CSV",
    "download.csv.help": "Yang ditampilkan, sebagai CSV.",
    "download.parquet": "Parquet",
    "download.parquet.help": "Yang ditampilkan, sebagai Parquet.",
    "tile.fatigue_events": "Lihat kejadian",
    "tile.fleet_health": "Lihat unit",
    "tile.engine_telemetry": "Lihat sinyal",
    "tile.data_delivery": "Lihat jam",
    "tile.ingestion": "Lihat file",
}
