//! The title of the document.

use leptos::prelude::*;

/// Sets the document's title. Titles hold what strangers wrote (a task's, an agent's name), and leptos_meta puts
/// them into the page as they are: a title of `</title><script>` would leave its element. Hence escaped here, and
/// `leptos_meta::Title` is used nowhere else.
#[component]
pub fn DocumentTitle(
    /// The title as text.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <leptos_meta::Title text=escaped(&text) /> }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_title_does_not_leave_its_element() {
        assert_eq!(escaped("</title><script>&"), "&lt;/title&gt;&lt;script&gt;&amp;");
    }
}
