"""Each screen of the app, in the order in which people come to it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.flows import steps
from tests.flows.wrong import before_send, fault, in_front, loses_the_reply_and_goes_down
from tests.revised import revised
from tests.running import Running

Look = Callable[[Page, str], None]


@dataclass
class Walk:
    """``look`` is called at each screen with its name. Buttons are found by what is posted, so in either language."""

    run: Running
    context: BrowserContext
    look: Look

    def __post_init__(self) -> None:
        self.patient = steps.new_patient(self.run, course=True)
        self.page = self.context.new_page()
        self.page.goto(self.run.launch_url(self.patient))
        self.home = self.page.url

    def at(self, path: str) -> Page:
        self.page.goto(self.home + path)
        return self.page

    def meanwhile(self, resource_type: str, **changed: Any) -> None:
        """Somebody else writes what each of these of the patient's has of ``changed``."""
        for each in steps.filed(self.run, self.patient, resource_type):
            steps.put(self.run, each | {name: value for name, value in changed.items() if name in each})

    def press(self, name: str, value: str) -> None:
        self.page.locator(f"button[name={name}][value={value}]:visible").first.click()

    def everything(self) -> None:
        self.look(self.page, "panel-empty")
        self.goals()
        self.another_device()
        self.hand_over()
        self.clinician()
        self.corrections()
        self.together()
        self.filing()
        self.earlier()
        self.panel()
        self.own_launch()

    def goals(self) -> None:
        page = self.at("goal/new")
        self.look(page, "goal-new")
        page.fill("[name=step-due-1]", "2026-12-24")
        page.locator("[name=step-due-1]").press("Enter")
        self.look(page, "goal-errors")
        page.fill("[name=text]", "Sing in a choir again, and have people to have coffee with afterwards")
        page.check("[name=area][value=leisure-culture]")
        page.fill("[name=helps]", "My sister comes along\nA walk by the sea")
        page.fill("[name=hinders]", "No bus on Sundays")
        page.fill("[name=step-1]", "Ring the choir and ask when they meet")
        page.fill("[name=step-due-1]", "2026-09-29")
        page.fill("[name=step-2]", f"Go and listen once: https://choir.example/{'whereandwhen' * 6}")
        self.press("do", "save")
        self.look(page, "goal-receipt")
        self.look(self.at(""), "panel-goal")
        page.locator("a[href$='/review']").first.click()
        self.look(page, "goal-review")
        page.locator("[value=partly]").first.check()
        page.locator("details.fold summary").first.click()
        page.locator("[name^=helped-]").first.fill("My sister asked with me")
        self.press("do", "save")
        self.at("").locator("a[href$='/review']").first.click()
        self.look(page, "goal-review-history")
        page.goto(page.url.replace("review", "edit"))
        self.look(page, "goal-edit")
        page.goto(page.url.replace("edit", "withdraw"))
        self.look(page, "goal-withdraw")
        self.meanwhile("Goal", description={"text": "Sing in a choir again, with people to have coffee with"})
        page.fill("#reason", "Written for somebody else")
        page.locator("main form button").last.click()
        self.look(page, "goal-withdraw-changed")
        self.at("").locator("a[href$='/review']").first.click()
        self.meanwhile("Goal", description={"text": "Ring the choir and ask whether they want another alto"})
        page.locator("[value=done]").first.check()
        self.press("do", "save")
        self.look(page, "goal-review-changed")

    def another_device(self) -> None:
        page = self.at("give")
        page.fill("#pin", steps.PIN)
        page.locator("button[value=elsewhere]").click()
        self.look(page, "code")
        self.look(self.at("locked"), "window")
        page.locator("form[action$='/code'] button").click()
        code = page.locator(".one-time.code").inner_text()
        tablet = self.context.new_page()
        tablet.goto(f"{self.run.url}/p")
        self.look(tablet, "code-typed")
        for typed in ("0000 0000", code):
            tablet.fill("#code", typed)
            tablet.locator("form.pin button").click()
            if typed != code:
                self.look(tablet, "code-wrong")
        tablet.wait_for_url("**/p/*/")
        tablet.close()
        page = self.at("locked")
        page.fill("#pin", steps.PIN)
        page.locator("form.pin button").click()
        page.wait_for_url("**/today")

    def hand_over(self) -> None:
        page = self.at("give")
        self.look(page, "give")
        page.fill("#pin", steps.PIN)
        page.locator("form.pin button").click()
        self.look(page, "patient-start")
        home = page.url
        page.goto(f"{home}1")
        self.look(page, "patient-question")
        for number in steps.ITEMS:
            page.goto(f"{home}{number}")
            page.locator("input[type=radio]").nth({9: 0, 6: 4}.get(number, 2)).check()
            if number == 13:
                self.look(page, "patient-question-13")
            if number == 6:
                page.goto(f"{home}check")
                self.look(page, "patient-check-some")
                page.goto(f"{home}back")
                self.look(page, "patient-back")
                page.goto(f"{home}6")
                page.locator("input[type=radio]").nth(4).check()
            self.press("go", "next")
        self.look(page, "patient-comment")
        page.fill("#comment", "It has been a hard month after I moved.")
        self.press("go", "next")
        self.look(page, "patient-check")
        page.locator("details summary").click()
        self.look(page, "patient-check-open")
        page.goto(f"{home}all")
        self.look(page, "patient-all")
        page.goto(f"{home}check")
        page.locator("form button:not([name])").last.click()
        self.look(page, "patient-done")
        page.goto(f"{self.home}locked")
        page.fill("#pin", "000000")
        page.locator("form.pin button").click()
        self.look(page, "locked-wrong-pin")
        page.fill("#pin", steps.PIN)
        page.locator("form.pin button").click()
        self.look(page, "today")
        self.meanwhile("QuestionnaireResponse", status="amended")
        page.locator("[value=talked-about]").first.click()
        self.look(page, "today-changed")
        page.locator("[value=talked-about]").first.click()
        self.look(page, "today-noted")

    def clinician(self) -> None:
        page = self.at("")
        page.locator("form[action$='form/clinician/start'] button").first.click()
        self.look(page, "clinician")
        page.locator("[name='01']").nth(2).check()
        self.press("do", "complete")
        self.look(page, "clinician-missing")
        for number in steps.ITEMS:
            page.locator(f"[name='{number:02}']").nth(1 if number in (3, 7) else 3).check()
        self.press("do", "complete")
        self.look(page, "receipt")
        self.receipt = page.url

    def corrections(self) -> None:
        page = self.at("")
        (mine,) = [one for one in steps.filed(self.run, self.patient, "QuestionnaireResponse")
                   if "imr-clinician" in one["questionnaire"]]  # fmt: skip
        page.locator("section[aria-labelledby=ratings] summary").click()
        page.locator(f"button[formaction$='/{mine['id']}/correct']").click()
        page.locator("[name='05']").nth(1).check()
        self.press("do", "complete")
        self.look(page, "correct-why")
        steps.put(self.run, {**mine, "status": "amended"})
        page.fill("#reason", "Misread it")
        self.press("do", "complete")
        self.look(page, "correct-conflict")
        self.press("do", "discard")
        page = self.at(f"response/{mine['id']}/withdraw")
        self.look(page, "withdraw")
        self.meanwhile("QuestionnaireResponse", status="completed")
        page.fill("#reason", "It was about somebody else")
        page.locator("main form button").last.click()
        self.look(page, "withdraw-changed")

    def together(self) -> None:
        self.look(self.at("together"), "together")

    def earlier(self) -> None:
        """The form is revised while answers lie here unfinished: the clinician's, and the patient's."""
        page = self.at("")
        page.locator("form[action$='form/clinician/start'] button").first.click()
        for number in (2, 3, 6):
            page.locator(f"[name='{number:02}']").nth(1).check()
        page.fill("#comment", "Seen at home, with her sister.")
        self.press("do", "later")
        page = self.at("give")
        page.fill("#pin", steps.PIN)
        page.locator("form.pin button").click()
        for number in (3, 6):
            page.goto(re.sub(r"/p/(\w+)/.*", rf"/p/\1/{number}", page.url))
            page.locator("input[type=radio]").nth(2).check()
            self.press("go", "next")
        with revised():
            page.reload()
            self.look(page, "patient-earlier")
            page.goto(f"{self.home}locked")
            page.fill("#pin", steps.PIN)
            page.locator("form.pin button").click()
            self.look(self.at("give"), "give-earlier")
            self.look(self.at(""), "panel-earlier")
            page.locator("a[href*='/earlier/']").first.click()
            self.look(page, "earlier")
            page.locator("[name=keep]").first.check()
            before = page.url
            self.press("do", "begin")
            page.goto(before)
            self.look(page, "earlier-aside")

    def panel(self) -> None:
        self.look(self.at(""), "panel")
        self.look(self.at("how"), "how")
        self.look(self.at("idle"), "idle")
        page = self.at("")
        page.locator("form[action$='/log-out'] button").click()
        self.look(page, "logged-out")
        self.look(self.at(""), "nothing-here")
        page.goto(f"{self.run.url}/open")
        self.look(page, "launch-code-typed")

    def own_launch(self) -> None:
        """The patient opens the app."""
        page = self.page
        page.goto(self.run.launch_url(self.patient, f"Patient/{self.patient}"))
        self.look(page, "own-home")
        page.locator("main ul a").last.click()
        self.look(page, "own-panel")
        page.locator("main a[href$='/own']").click()
        page.locator("main a[href$='/own/record']").click()
        for details in page.locator("details").all():
            details.locator("summary").click()
        self.look(page, "own-record")
        page.locator("main a[href$='/own']").click()
        page.locator("main a[href$='/own/opened']").click()
        self.look(page, "own-opened")
        page.locator("main a[href$='/own']").click()
        page.locator("main form button").last.click()
        self.look(page, "own-start")
        start = page.url
        page.goto(f"{start}1")
        page.locator("input[type=radio]").nth(2).check()
        self.press("go", "stop")
        page.locator("form button:not([name])").last.click()
        self.look(page, "own-receipt")
        page.locator("main a[href$='/own']").click()
        self.look(page, "own-home-answered")

    def filing(self) -> None:
        """What the hospital refuses comes last: the app does not offer it again."""
        with fault(self.run, "busy"):
            self.save_a_goal("filing-waiting")
        with in_front(self.run, loses_the_reply_and_goes_down(self.run)):
            self.save_a_goal("filing-unknown")
        self.run.hospital.hospital.faults.switch_off("down")
        with in_front(self.run, before_send(self.run, self.take_the_identifier)):
            self.save_a_goal("filing-duplicate")
        self.versions()
        with fault(self.run, "forbid-create"):
            self.save_a_goal("filing-refused")
        for details in self.page.locator("details.decide").all():
            details.locator("summary").click()
            self.look(self.page, "filing-refused-decide")
        self.look(self.at("outbox"), "outbox")

    def versions(self) -> None:
        """Of a rating that the record holds twice, otherwise than it was written."""

        def put(bundle: Any) -> None:
            response = next(each["resource"] for each in bundle["entry"] if "item" in each["resource"])
            coding = response["item"][0]["item"][1]["answer"][0]["valueCoding"]
            for number, display in ((1, "Not very much"), (5, "A great deal")):
                coding |= {"code": f"02-{number}", "display": display}
                steps.put(self.run, response | {"id": f"{self.patient}-{number}"})

        page = self.at("")
        page.locator("form[action$='form/clinician/start'] button").first.click()
        for number in steps.ITEMS:
            page.locator(f"[name='{number:02}']").nth(3).check()
        page.fill("#comment", "Seen at home, with her sister.")
        with in_front(self.run, before_send(self.run, put)):
            self.press("do", "complete")
            page.wait_for_url("**/saved/*")
        self.look(page, "filing-versions")
        self.press("do", "choose")
        self.look(page, "filing-versions-why")
        page.fill("#reason", "Looked it up")
        self.press("do", "choose")
        self.look(page, "filing-versions-which")

    def save_a_goal(self, name: str) -> None:
        page = self.at("goal/new")
        page.fill("[name=text]", "A dog")
        self.press("do", "save")
        page.wait_for_url("**/saved/*")
        self.look(page, name)

    def take_the_identifier(self, bundle: Any) -> None:
        goal = bundle["entry"][0]["resource"]
        steps.put(self.run, goal | {"id": f"{self.patient}-other", "description": {"text": "A cat"}})
