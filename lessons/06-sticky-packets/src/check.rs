pub const LESSON: ::check::Lesson = ::check::Lesson { number: 6, port: 8080, server: "", client: "", checks: &[] };
