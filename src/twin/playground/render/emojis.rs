//! Emoji by the short names that Slack uses. A good set, not all of them: an unknown name is shown as it was typed.

/// Short name and glyph, in alphabetical order so that [`glyph`] can search by halves.
const EMOJI: &[(&str, &str)] = &[
    ("+1", "👍"),
    ("-1", "👎"),
    ("100", "💯"),
    ("alarm_clock", "⏰"),
    ("arrow_down", "⬇️"),
    ("arrow_heading_up", "⤴️"),
    ("arrow_right", "➡️"),
    ("arrow_up", "⬆️"),
    ("arrows_counterclockwise", "🔄"),
    ("bell", "🔔"),
    ("black_circle", "⚫"),
    ("black_square_for_stop", "⏹️"),
    ("blue_heart", "💙"),
    ("bookmark", "🔖"),
    ("books", "📚"),
    ("boom", "💥"),
    ("broken_heart", "💔"),
    ("bug", "🐛"),
    ("bulb", "💡"),
    ("calendar", "📅"),
    ("chart_with_upwards_trend", "📈"),
    ("checkered_flag", "🏁"),
    ("clap", "👏"),
    ("clipboard", "📋"),
    ("closed_lock_with_key", "🔐"),
    ("coffee", "☕"),
    ("computer", "💻"),
    ("confused", "😕"),
    ("construction", "🚧"),
    ("credit_card", "💳"),
    ("cry", "😢"),
    ("crystal_ball", "🔮"),
    ("double_vertical_bar", "⏸️"),
    ("exclamation", "❗"),
    ("eyes", "👀"),
    ("file_cabinet", "🗄️"),
    ("file_folder", "📁"),
    ("fire", "🔥"),
    ("gear", "⚙️"),
    ("ghost", "👻"),
    ("green_circle", "🟢"),
    ("green_heart", "💚"),
    ("grey_question", "❔"),
    ("grin", "😁"),
    ("hammer", "🔨"),
    ("hammer_and_wrench", "🛠️"),
    ("hand", "✋"),
    ("heart", "❤️"),
    ("heavy_check_mark", "✔️"),
    ("heavy_plus_sign", "➕"),
    ("hourglass", "⌛"),
    ("hourglass_flowing_sand", "⏳"),
    ("inbox_tray", "📥"),
    ("information_source", "ℹ️"),
    ("joy", "😂"),
    ("key", "🔑"),
    ("large_blue_circle", "🔵"),
    ("large_green_circle", "🟢"),
    ("large_orange_circle", "🟠"),
    ("large_purple_circle", "🟣"),
    ("large_yellow_circle", "🟡"),
    ("link", "🔗"),
    ("lock", "🔒"),
    ("mag", "🔍"),
    ("mega", "📣"),
    ("memo", "📝"),
    ("merged", "🔀"),
    ("mute", "🔇"),
    ("no_entry", "⛔"),
    ("no_entry_sign", "🚫"),
    ("octagonal_sign", "🛑"),
    ("ok_hand", "👌"),
    ("package", "📦"),
    ("paperclip", "📎"),
    ("partying_face", "🥳"),
    ("pause_button", "⏸️"),
    ("point_right", "👉"),
    ("pray", "🙏"),
    ("pushpin", "📌"),
    ("question", "❓"),
    ("raised_hand", "✋"),
    ("raised_hands", "🙌"),
    ("recycle", "♻️"),
    ("red_circle", "🔴"),
    ("repeat", "🔁"),
    ("robot_face", "🤖"),
    ("rocket", "🚀"),
    ("rotating_light", "🚨"),
    ("satellite_antenna", "📡"),
    ("seedling", "🌱"),
    ("simple_smile", "🙂"),
    ("sleeping", "😴"),
    ("slightly_smiling_face", "🙂"),
    ("smile", "😄"),
    ("sparkles", "✨"),
    ("speech_balloon", "💬"),
    ("stop_button", "⏹️"),
    ("stopwatch", "⏱️"),
    ("sunny", "☀️"),
    ("sunrise", "🌅"),
    ("tada", "🎉"),
    ("test_tube", "🧪"),
    ("thinking_face", "🤔"),
    ("thread", "🧵"),
    ("thumbsdown", "👎"),
    ("thumbsup", "👍"),
    ("twisted_rightwards_arrows", "🔀"),
    ("unlock", "🔓"),
    ("warning", "⚠️"),
    ("wastebasket", "🗑️"),
    ("wave", "👋"),
    ("white_check_mark", "✅"),
    ("white_circle", "⚪"),
    ("wrench", "🔧"),
    ("x", "❌"),
    ("zap", "⚡"),
    ("zzz", "💤"),
];

/// What the reaction menu of the page offers.
pub const PICKER: &[&str] = &["+1", "eyes", "tada", "heart", "white_check_mark", "x"];

/// The glyph for a short name without colons.
pub fn glyph(name: &str) -> Option<&'static str> {
    // Skin tones (`wave::skin-tone-3`) are a variant of the same name.
    let base = name.split("::").next().unwrap_or(name);
    let at = EMOJI.binary_search_by(|(known, _)| (*known).cmp(base)).ok()?;
    EMOJI.get(at).map(|(_, glyph)| *glyph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_has_what_the_page_offers() {
        assert!(EMOJI.is_sorted_by(|a, b| a.0 < b.0), "search by halves needs the order");
        for name in PICKER {
            assert!(glyph(name).is_some(), "{name}");
        }
        assert_eq!(glyph("wave::skin-tone-3"), Some("👋"));
        assert_eq!(glyph("no_such"), None);
    }
}
